"""What people and programs are shown of probes and their runs: pure data, and text that fits 80 columns."""

from collections.abc import Iterable, Sequence
from typing import Final

from controlplane.model.check import Outcome, Timing
from controlplane.wording import significant
from synthetics.probes.assertions import Checked
from synthetics.probes.lengths import shown_length
from synthetics.probes.model import Probe, ProbeModule
from synthetics.probes.protocols import protocol_of
from synthetics.probes.running import ProbeRun

_BAR: Final = 32
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_WORDS: Final = {Outcome.OK: "ok", Outcome.FAILED: "failed", Outcome.FAULT: "fault of this prober"}
_COLUMNS: Final = 80
_TITLE: Final = 44


def run_data(run: ProbeRun) -> dict[str, object]:
    """A run as JSON; times in seconds."""
    result = run.result
    checked: list[object] = [
        {"asserts": one.title, "kind": one.reason, "holds": one.holds, "saw": one.saw} for one in run.checked
    ]
    samples: list[object] = [
        {"name": one.name, "labels": dict(one.labels), "value": one.value} for one in result.samples
    ]
    return {
        "probe": result.check,
        "region": result.region,
        "started_at": result.started_at.isoformat(),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "detail": result.detail,
        "duration_seconds": result.duration_seconds,
        "phases": [{"name": one.name, "seconds": one.seconds} for one in result.timings],
        "assertions": checked,
        "samples": samples,
        "notes": list(run.attempt.notes),
        "trace_id": result.trace_id,
    }


def run_text(probe: Probe, run: ProbeRun, *, verbose: bool = False) -> str:
    """What happened, how long each phase took, what was asserted and seen."""
    result = run.result
    took = f"{significant(result.duration_seconds * 1000)} ms, from region {result.region}"
    lines = [f"{probe.display_name or probe.name}: {_WORDS[result.outcome]} in {took}"]
    if result.reason:
        lines += [f"{result.reason}: {run.attempt.detail}" if run.attempt.detail else ""]
    lines += ["", *_phases(result.timings)] if result.timings else []
    lines += ["", *_assertions(run.checked)] if run.checked else []
    if verbose:
        lines += ["", *run.attempt.notes, *_headers(run)]
        lines += ["", *(_sample(one.name, one.labels, one.value) for one in result.samples)]
    if result.trace_id:
        lines += ["", f"trace {result.trace_id}"]
    return "\n".join(line for number, line in enumerate(lines) if line or (number and lines[number - 1]))


def list_data(probes: Iterable[Probe]) -> list[object]:
    """Probes as JSON; times in seconds."""
    return [
        {
            "name": one.name,
            "display_name": one.display_name,
            "protocol": protocol_of(one.module),
            "module": one.module_name,
            "target": one.target,
            "interval_seconds": one.interval.total_seconds(),
            "timeout_seconds": one.timeout.total_seconds(),
            "regions": list(one.regions),
            "assertions": len(one.assertions),
            "owner": one.owner,
        }
        for one in probes
    ]


def list_text(probes: Sequence[Probe]) -> str:
    """A line for each probe."""
    rows = [("PROBE", "PROTOCOL", "EVERY", "REGIONS", "TARGET")]
    rows += [
        (one.name, protocol_of(one.module), shown_length(one.interval), ", ".join(one.regions) or "all", one.target)
        for one in probes
    ]
    return _table(rows)


def modules_data(modules: Iterable[ProbeModule]) -> list[object]:
    """Modules as JSON."""
    return [
        {
            "name": one.name,
            "protocol": protocol_of(one.module),
            "built_in": one.source is None,
            "timeout_seconds": one.timeout.total_seconds() if one.timeout else None,
            "description": one.description,
        }
        for one in modules
    ]


def modules_text(modules: Iterable[ProbeModule]) -> str:
    """A line for each module."""
    rows = [("MODULE", "PROTOCOL", "FROM", "WHAT IT ASKS")]
    rows += [
        (one.name, protocol_of(one.module), "built in" if one.source is None else str(one.source), one.description)
        for one in modules
    ]
    return _table(rows)


def _phases(timings: Sequence[Timing]) -> list[str]:
    whole = sum(one.seconds for one in timings) or 1.0
    width = max(len(one.name) for one in timings)
    return [
        f"{one.name:<{width}} {one.seconds * 1000:>9.2f} ms  {_bar(one.seconds / whole)}".rstrip() for one in timings
    ]


def _bar(share: float) -> str:
    whole, rest = divmod(round(share * _BAR * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def _assertions(checked: Sequence[Checked]) -> list[str]:
    width = min(max(len(one.title) for one in checked), _TITLE)
    rest = _COLUMNS - width - 4
    return [
        f"{'✓' if one.holds else '✗'} {_cut(one.title, _TITLE):<{width}}  {_cut(one.saw, rest)}".rstrip()
        for one in checked
    ]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _headers(run: ProbeRun) -> list[str]:
    answer = run.attempt.answer
    return [f"status {answer.status}, {len(answer.headers)} headers"] if answer.status is not None else []


def _sample(name: str, labels: Sequence[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{key}="{text}"' for key, text in labels)
    return f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )
