"""Runbooks and their runs, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from alerts.runbooks.asking import waits_for
from alerts.runbooks.model import Runbook, RunbookStep, StepKind
from alerts.runbooks.running import StepResult, StepState, results_of
from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.follow_up import RunbookRun, RunState

_INDENT: Final = "  "


def runbooks_text(runbooks: Sequence[Runbook]) -> str:
    """A line each."""
    width = max((len(each.name) for each in runbooks), default=0)
    return "\n".join(f"{each.name:<{width}}  {_steps(each)}  {each.title}".rstrip() for each in runbooks)


def runbook_text(runbook: Runbook) -> str:
    """All of one."""
    lines = [f"{runbook.name}: {runbook.title or runbook.name}"]
    lines += [f"{_INDENT}{where}" for where in (runbook.url, runbook.file) if where]
    if runbook.starts_by_itself:
        lines.append(f"{_INDENT}its automatic steps run when an incident opens, up to the first that needs an approval")
    for number, step in enumerate(runbook.steps, 1):
        lines += ["", f"{number}. {step.name}: {what(step)}", f"{_INDENT}{_how(step)}"]
        if step.why:
            lines.append(f"{_INDENT}{step.why}")
    return "\n".join(lines)


def runs_text(runs: Sequence[RunbookRun], names: Mapping[str, str]) -> str:
    """A line each; `names` are those of incidents, by id."""
    lines = []
    for run in runs:
        dry = " (dry run)" if run.is_dry else ""
        about = f"  {names.get(run.incident, run.incident)}" if run.incident else ""
        lines.append(
            f"{wording.utc(run.created_at)}  {run.id}  {run.runbook}{dry}  {waits_for(run)}{about}  {run.actor}"
        )
    return "\n".join(lines)


def run_text(run: RunbookRun) -> str:
    """All of one: what each step would do or did, and how it stands."""
    dry = "dry run of " if run.is_dry else ""
    lines = [f"{run.id}: {dry}{run.runbook}, begun {wording.utc(run.created_at)} by {run.actor}: {waits_for(run)}"]
    if run.why:
        lines.append(f"{_INDENT}{run.why}")
    lines += [
        f"{_INDENT}{line}" for number, result in enumerate(results_of(run), 1) for line in _result(number, result)
    ]
    return "\n".join(lines)


def step_line(number: int, result: StepResult) -> str:
    """One step of a run, in a line."""
    return next(_result(number, result))


def what(step: RunbookStep) -> str:
    """What a step does, in words; secrets stand in none of its settings."""
    settings = step.settings
    if step.kind is StepKind.HTTP:
        return f"{settings.get('method', 'GET')} {settings.get('url', '').partition('?')[0]}"
    if step.kind is StepKind.FLAG:
        return f"set {settings.get('flag')} in {settings.get('store')} to {settings.get('value')}"
    arguments = [settings[key] for key in sorted(settings, key=_place) if key.startswith("args.")]
    return f"run {' '.join([settings.get('run', ''), *arguments])}"


def _place(key: str) -> int:
    return int(key.removeprefix("args.")) if key.startswith("args.") else -1


def _steps(runbook: Runbook) -> str:
    count = len(runbook.steps)
    return f"{count} step{'' if count == 1 else 's'}" if count else "to read"


def _how(step: RunbookStep) -> str:
    allowed = "policy runs it" if step.is_automatic or not step.changes else "somebody approves it each time"
    harmless = "" if step.changes else ", it changes nothing"
    return f"{allowed}{harmless}, {step.timeout.total_seconds():g} s at most"


def _result(number: int, result: StepResult) -> Iterator[str]:
    said = {
        StepState.CHECKED: f"would {result.checked}" if result.checked else "checked",
        StepState.SHOWN: f"not done in a dry run: {result.checked}",
        StepState.BEGUN: f"under way: {result.checked}",
        StepState.DONE: f"done: {result.text}",
        StepState.FAILED: f"failed: {result.text}",
    }[result.state]
    took = f" ({result.seconds:.1f} s)" if result.seconds is not None else ""
    whose = f", approved by {result.approved_by}" if result.approved_by else ""
    yield f"{number}. {result.name}: {said}{took}{whose}"
    yield from (f"{_INDENT * 2}| {line}" for line in result.output.splitlines()[-10:])


# --- JSON -------------------------------------------------------------------------------------------------------------
def runbook_data(runbook: Runbook) -> dict[str, JSON]:
    """One runbook."""
    return {
        "name": runbook.name,
        "title": runbook.title,
        "url": runbook.url,
        "file": runbook.file,
        "starts_by_itself": runbook.starts_by_itself,
        "steps": [
            {
                "name": step.name,
                "kind": step.kind.value,
                "does": what(step),
                "automatic": step.is_automatic,
                "changes": step.changes,
                "timeout_seconds": str(step.timeout.total_seconds()),
                "why": step.why,
            }
            for step in runbook.steps
        ],
    }


def run_data(run: RunbookRun) -> dict[str, JSON]:
    """One run; times as ISO 8601 in UTC."""
    waiting = run.next_step + 1 if run.state is RunState.WAITING else None
    return {
        "run": run.id,
        "runbook": run.runbook,
        "incident": run.incident,
        "by": run.actor,
        "dry": run.is_dry,
        "state": run.state.value,
        "waits_for_step": waiting,
        "why": run.why,
        "created_at": run.created_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
        "steps": [dict(each) for each in run.results],
    }
