"""What was measured on daily costs, for a terminal, for the docs, and for machines."""

from typing import Final

from alerts.anomaly.faults.daily_measuring import AGES, CostFound, CostMeasured, CostQuiet
from alerts.anomaly.faults.views import known, markdown_table, share

_AGES: Final = [f"{low} … {high} days" for low, high in AGES]


def costs_data(measured: CostMeasured) -> dict[str, object]:
    """For `--json`: shares 0 … 1, delays in days, null where nothing was found."""
    return {
        "faults": {
            fault.value: {
                "found": known(found.share),
                "delay_median_days": known(found.median),
                "delay_p90_days": known(found.nine_of_ten),
                "found_by_weekday_z_score": known(found.peer),
            }
            for fault, found in measured.faults.items()
        },
        "kinds": {name: _quiet_data(quiet) for name, quiet in measured.quiet.items()},
        "all": _quiet_data(measured.all),
    }


def costs_text(measured: CostMeasured) -> str:
    """Tables that fit 80 columns."""
    lines = ["Daily costs", ""]
    lines.append(f"{'':<24} {'found':>8} {'delay: median, 9 of 10':>24} {'z-score finds':>15}")
    for fault, found in measured.faults.items():
        lines.append(f"{fault.value:<24} {share(found.share):>8} {_delays(found):>24} {share(found.peer):>15}")
    ages = " ".join(f"{low:>5} … {high:<3}" for low, high in AGES)
    lines += ["", f"{'false alarms a month':<24} {'all':>8} {ages} {'z-score':>9}"]
    for name, quiet in [*measured.quiet.items(), ("all", measured.all)]:
        by_age = " ".join(f"{each:>11.2f}" for each in quiet.by_age)
        lines.append(f"{name:<24} {quiet.ours:>8.2f} {by_age} {quiet.peer:>9.2f}")
    return "\n".join(lines)


def costs_markdown(measured: CostMeasured) -> str:
    """The tables of docs/reference/anomaly-faults.md."""
    faults = markdown_table(
        ["fault", "found", "median delay, 9 of 10", "found by a z-score of weekdays"],
        [[fault.value, share(each.share), _delays(each), share(each.peer)] for fault, each in measured.faults.items()],
    )
    quiet = markdown_table(
        ["kind of bill", "false alarms a series and month", *_AGES, "z-score of weekdays"],
        [
            [name, f"{each.ours:.2f}", *(f"{age:.2f}" for age in each.by_age), f"{each.peer:.2f}"]
            for name, each in [*measured.quiet.items(), ("all", measured.all)]
        ],
    )
    return f"{faults}\n\n{quiet}"


def _delays(found: CostFound) -> str:
    if found.median != found.median:
        return "–"
    return f"{_days(found.median)}, {_days(found.nine_of_ten)}"


def _days(number: float) -> str:
    return "same day" if number == 0 else f"{number:.0f} d"


def _quiet_data(quiet: CostQuiet) -> dict[str, object]:
    return {
        "false_alarms_per_series_month": quiet.ours,
        "by_days_of_past": dict(zip((f"{low}-{high}" for low, high in AGES), quiet.by_age, strict=True)),
        "weekday_z_score": quiet.peer,
    }
