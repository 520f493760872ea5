"""What people and programs are shown of journeys and their runs: pure data, and text that fits 80 columns."""

from collections.abc import Sequence
from typing import Final

from controlplane.model.check import CheckResult, Outcome
from controlplane.wording import significant
from synthetics.journeys.model import APIFlow, BrowserFlow, Journey
from synthetics.journeys.ports import Report, StepEvent
from synthetics.probes.lengths import shown_length

_WORDS: Final = {Outcome.OK: "ok", Outcome.FAILED: "failed", Outcome.FAULT: "fault of this prober"}
_NAME: Final = 40  # columns of a step's name
_UNEXPLAINED: Final = ("test", "crash", "browser")
_OUTPUT_LINES: Final = 40


def run_data(result: CheckResult, report: Report) -> dict[str, object]:
    """A run as JSON; times in seconds."""
    steps: list[dict[str, object]] = [
        {"name": each.name, "seconds": each.seconds, "ok": each.name != report.failed_step} for each in result.timings
    ]
    return {
        "journey": result.check,
        "region": result.region,
        "started_at": result.started_at.isoformat(),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "detail": result.detail,
        "failed_step": report.failed_step,
        "where": report.where,
        "duration_seconds": result.duration_seconds,
        "steps": steps,
        "artifacts": [str(path) for path in report.artifacts],
        "trace_id": result.trace_id,
    }


def step_text(event: StepEvent) -> str:
    """A step that has ended, in a line."""
    name = event.name if len(event.name) <= _NAME else f"{event.name[: _NAME - 1]}…"
    mark = "✓" if event.ok else "✗"
    return f"  {mark} {name:<{_NAME}} {seconds_text(event.seconds or 0.0):>8}"


def seconds_text(seconds: float) -> str:
    """`431 ms`, `12.1 s`."""
    return f"{significant(seconds * 1000)} ms" if seconds < 1 else f"{significant(seconds)} s"


def end_text(result: CheckResult, report: Report) -> str:
    """How it ended, where to look, and how; of what no step explains, the process's own words."""
    lines = [f"{_WORDS[result.outcome]} in {seconds_text(result.duration_seconds)}, from region {result.region}"]
    if result.reason:
        lines += ["", result.detail if result.reason == "step" else f"{result.reason}: {result.detail}"]
    if report.where:
        lines += [f"at {report.where}"]
    if report.ended_processes:
        lines += ["", f"It left {report.ended_processes} processes running; they were ended."]
    if report.artifacts:
        lines += ["", *(f"  {path}" for path in report.artifacts)]
    traces = [path for path in report.artifacts if path.suffix == ".zip"]
    if traces:
        lines += ["", "Look at every step of it:", f"  playwright show-trace {traces[0]}"]
    if report.output and result.reason in _UNEXPLAINED:
        lines += ["", *report.output.rstrip().splitlines()[-_OUTPUT_LINES:]]
    return "\n".join([*lines, "", f"trace {result.trace_id}"])


def list_data(journeys: Sequence[Journey]) -> list[dict[str, object]]:
    """Journeys as JSON; times in seconds."""
    return [
        {
            "name": each.name,
            "display_name": each.display_name,
            "type": _type(each),
            "steps": [step.name for step in each.flow.steps] if isinstance(each.flow, APIFlow) else [],
            "file": each.flow.file if isinstance(each.flow, BrowserFlow) else "",
            "interval_seconds": each.every.total_seconds(),
            "timeout_seconds": each.timeout.total_seconds(),
            "regions": sorted(each.regions),
            "owner": each.owner,
        }
        for each in journeys
    ]


def list_text(journeys: Sequence[Journey]) -> str:
    """A line for each journey."""
    rows = [("JOURNEY", "TYPE", "EVERY", "LIMIT", "REGIONS")]
    rows += [
        (
            each.name,
            _type(each),
            shown_length(each.every),
            shown_length(each.timeout),
            ", ".join(sorted(each.regions)) or "all",
        )
        for each in journeys
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _type(journey: Journey) -> str:
    if isinstance(journey.flow, BrowserFlow):
        return "browser"
    count = len(journey.flow.steps)
    return f"API, {count} step{'s' if count > 1 else ''}"
