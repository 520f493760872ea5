"""What was measured, for a terminal, for the docs, and for machines."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from alerts.anomaly.faults.measuring import OURS, Calm, Found, Measured, Quiet
from alerts.anomaly.faults.model import Harmless

_ABOUT: Final[Mapping[Harmless, str]] = {
    Harmless.DST_DAY: "clocks turned back, and the day after",
    Harmless.HOLIDAY: "a Thursday like a Sunday",
    Harmless.DEPLOYMENT: "ten minutes with a third to all of it gone",
}

_FAULT_HEAD: Final = (
    "fault",
    "found: `point`",
    "`sustained`",
    "median delay, 9 of 10: `point`",
    "`sustained`",
    "alarms after it",
    "found: z-score",
    "Grafana",
)


def measured_data(measured: Measured) -> dict[str, object]:
    """For `--json`: shares 0 … 1, delays in seconds, null where nothing was found."""
    return {
        "series_of_each_fault": measured.series,
        "seed": measured.seed,
        "step_seconds": measured.step.total_seconds(),
        "faults": {
            fault.value: {name: _found_data(found) for name, found in by_detector.items()}
            for fault, by_detector in measured.faults.items()
        },
        "detectors": {name: _quiet_data(quiet) for name, quiet in measured.quiet.items()},
        "harmless": {
            kind.value: {
                "alarmed": known(calm.unaware),
                "alarmed_told_of_it": known(calm.aware),
                "usual": known(calm.usual),
            }
            for kind, calm in measured.harmless.items()
        },
        "families": {name: _quiet_data(quiet) for name, quiet in measured.families.items()},
    }  # fmt: skip


def measured_text(measured: Measured) -> str:
    """Tables that fit 80 columns."""
    lines = [_title(measured), ""]
    lines += [f"{'':<15} {'found':>17}   {'delay: median, 9 of 10':^29} {'alarms after':>13}"]
    lines += [f"{'':<15} {'point':>8}{'sustained':>10}   {'point':>14}{'sustained':>15} {'point':>13}"]
    for fault, by_detector in measured.faults.items():
        point, sustained = (by_detector[name] for name in OURS)
        shares = f"{share(point.share):>8}{share(sustained.share):>10}"
        delays = f"{_delays(point):>14} {_delays(sustained):>14}"
        lines.append(f"{fault.value:<15} {shares}   {delays} {point.after:>13.1f}")
    lines += ["", f"{'':<20} {'false a month':>13} {'event-F1':>9} {'precision':>10} {'recall':>7} {'threshold':>10}"]
    lines += [_quiet_line(name, quiet) for name, quiet in measured.quiet.items()]
    lines += ["", "point, by kind of series"]
    lines += [_quiet_line(name, quiet) for name, quiet in measured.families.items()]
    lines += ["", f"{'harmless: alarmed':<20} {'told of it':>13} {'untold':>9} {'a week before':>18}"]
    for kind, calm in measured.harmless.items():
        lines.append(f"{kind.value:<20} {share(calm.aware):>13} {share(calm.unaware):>9} {share(calm.usual):>18}")
    return "\n".join(lines)


def measured_markdown(measured: Measured) -> str:
    """The tables of docs/reference/anomaly-faults.md."""
    return "\n\n".join(
        [
            markdown_table(
                [*_FAULT_HEAD],
                [[fault.value, *_fault_cells(found)] for fault, found in measured.faults.items()],
            ),
            markdown_table(
                ["detector", "false alarms a series and month", "event-F1", "precision", "recall", "threshold"],
                [[name, *_quiet_cells(quiet)] for name, quiet in measured.quiet.items()],
            ),
            markdown_table(
                ["`point`, by kind of series", "false alarms a series and month", "event-F1", "precision", "recall"],
                [[name, *_quiet_cells(quiet)[:-1]] for name, quiet in measured.families.items()],
            ),
            markdown_table(
                ["harmless", "what happens", "alarmed, told of it", "untold", "usual"],
                [[kind.value, _ABOUT[kind], *_calm_cells(calm)] for kind, calm in measured.harmless.items()],
            ),
        ]
    )  # fmt: skip


def _title(measured: Measured) -> str:
    minutes = measured.step // timedelta(minutes=1)
    return f"Faults in generated series: {measured.series} of each, a step of {minutes} min, seed {measured.seed}"


def _fault_cells(found: Mapping[str, Found]) -> Iterator[str]:
    point, sustained = (found[name] for name in OURS)
    yield from (share(point.share), share(sustained.share), _delays(point), _delays(sustained), f"{point.after:.1f}")
    yield share(max(each.share for name, each in found.items() if name.startswith("z-score")))
    yield share(next(each.share for name, each in found.items() if name.startswith("Grafana")))


def _quiet_cells(quiet: Quiet) -> list[str]:
    return [
        _number(quiet.false_a_month),
        _number(quiet.f1),
        share(quiet.precision),
        share(quiet.recall),
        f"{quiet.threshold:.3g}",
    ]


def _quiet_line(name: str, quiet: Quiet) -> str:
    false, f1, precision, recall, threshold = _quiet_cells(quiet)
    return f"{name:<20} {false:>13} {f1:>9} {precision:>10} {recall:>7} {threshold:>10}"


def _calm_cells(calm: Calm) -> Iterator[str]:
    return (share(each) for each in (calm.aware, calm.unaware, calm.usual))


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def share(value: float) -> str:
    """In percent; a dash for NaN: there was nothing to take a share of."""
    return f"{100 * value:.0f} %" if value == value else "–"


def _number(value: float) -> str:
    return f"{value:.2f}" if value == value else "–"  # NaN: there was none


def _delays(found: Found) -> str:
    if found.median is None or found.nine_of_ten is None:
        return "–"
    return f"{_length(found.median)}, {_length(found.nine_of_ten)}"


def _length(time: timedelta) -> str:
    minutes = time / timedelta(minutes=1)
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"


def _found_data(found: Found) -> dict[str, object]:
    return {
        "found": known(found.share),
        "delay_median_seconds": found.median.total_seconds() if found.median is not None else None,
        "delay_p90_seconds": found.nine_of_ten.total_seconds() if found.nine_of_ten is not None else None,
        "alarms_after_per_series": found.after,
    }


def _quiet_data(quiet: Quiet) -> dict[str, float | None]:
    return {
        "false_alarms_per_series_month": known(quiet.false_a_month),
        "event_f1": known(quiet.f1),
        "precision": known(quiet.precision),
        "recall": known(quiet.recall),
        "threshold": quiet.threshold,
    }


def known(value: float) -> float | None:
    """None for NaN."""
    return float(value) if value == value else None
