"""How a run of a runbook goes on: from what is written down of it, and nothing else, to what is done next.

A run first checks every step and changes nothing; one that fails ends the run before it began. Then step by step, each
begun only when policy or a person allows it. What is begun is written down before, so that nobody does it twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from alerts.runbooks.model import Runbook, RunbookStep
from controlplane.model.event import JSON
from controlplane.model.follow_up import RunbookRun, RunState

TOO_OLD: Final = timedelta(minutes=15)  # nobody took it up for so long: what it was meant for is over
WAITS: Final = timedelta(hours=24)  # for an approval
GRACE: Final = timedelta(seconds=15)  # beyond a step's timeout: whoever began it has ended
OPEN: Final = frozenset({RunState.WAITING, RunState.RUNNING})
LONGEST_OUTPUT: Final = 4_000
LONGEST_TEXT: Final = 500


class StepState(Enum):
    """How far a step of a run came."""

    CHECKED = "checked"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    SHOWN = "shown"  # in a dry run: it would change something, and was not done


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step of a run. `checked`: what it would do. `before`: how it was before, where that can be seen."""

    name: str
    kind: str
    state: StepState
    checked: str = ""
    approved_by: str = ""
    before: str = ""
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    text: str = ""
    output: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        both = self.begun_at, self.ended_at
        return (both[1] - both[0]).total_seconds() if both[0] and both[1] else None


class MoveKind(Enum):
    """What is to be done with a run now."""

    REST = "rest"
    CHECK = "check"
    ASK = "ask"  # somebody must approve the next step
    PERFORM = "perform"
    SHOW = "show"  # a dry run goes past a step that would change something
    RECOVER = "recover"  # its process ended while the step was under way
    END = "end"


@dataclass(frozen=True, slots=True)
class Move:
    """The next thing, of which step, and of an end: how and why."""

    kind: MoveKind
    step: int = 0
    state: RunState = RunState.RUNNING
    why: str = ""


REST: Final = Move(MoveKind.REST)


def hash_of(steps: Sequence[RunbookStep]) -> str:
    """Changes with anything that a step does."""
    written = [
        [step.name, step.kind.value, dict(step.settings), step.timeout.total_seconds(), step.is_automatic, step.changes]
        for step in steps
    ]
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()[:32]


def next_move(run: RunbookRun, runbook: Runbook | None, now: datetime, *, is_over: bool = False) -> Move:
    """What is to be done. `is_over`: its incident is resolved, and nobody but policy began the run."""
    if run.state not in OPEN:
        return REST
    results = results_of(run)
    under_way = results[run.next_step] if run.next_step < len(results) else None
    is_begun = under_way is not None and under_way.state is StepState.BEGUN
    if runbook is None or hash_of(runbook.steps) != run.steps_hash:
        return _edited(run, runbook, under_way, now)
    if is_begun and under_way is not None:
        return _interrupted(runbook.steps[run.next_step], run.next_step, under_way, now)
    if run.next_step >= len(runbook.steps):
        return Move(MoveKind.END, run.next_step, RunState.DONE)
    if is_over:
        return Move(MoveKind.END, run.next_step, RunState.CANCELLED, "the incident is over")
    if late := _late(run, now):
        return Move(MoveKind.END, run.next_step, RunState.CANCELLED, late)
    if not results:
        return Move(MoveKind.CHECK)
    return _next_step(run, runbook.steps[run.next_step], results[run.next_step])


def _next_step(run: RunbookRun, step: RunbookStep, result: StepResult) -> Move:
    number = run.next_step
    if run.is_dry:
        return Move(MoveKind.SHOW if step.changes else MoveKind.PERFORM, number)
    if step.is_automatic or not step.changes or result.approved_by:
        return Move(MoveKind.PERFORM, number)
    return REST if run.state is RunState.WAITING else Move(MoveKind.ASK, number)


def _edited(run: RunbookRun, runbook: Runbook | None, under_way: StepResult | None, now: datetime) -> Move:
    what = "is not declared any more" if runbook is None else "was changed since the run began"
    if under_way is None or under_way.state is not StepState.BEGUN:
        why = f"the runbook {what}: begin it again"
        return Move(MoveKind.END, run.next_step, RunState.CANCELLED, why)
    if under_way.begun_at is not None and now - under_way.begun_at < TOO_OLD:  # its timeout is not known any more
        return REST
    why = f"our process ended while `{under_way.name}` was under way, and the runbook {what}: see what was done of it"
    return Move(MoveKind.END, run.next_step, RunState.FAILED, why)


def _interrupted(step: RunbookStep, number: int, under_way: StepResult, now: datetime) -> Move:
    begun = under_way.begun_at or now
    return REST if now - begun < step.timeout + GRACE else Move(MoveKind.RECOVER, number)


def _late(run: RunbookRun, now: datetime) -> str:
    if run.state is RunState.RUNNING and now - run.updated_at > TOO_OLD:
        return f"nobody took it up within {TOO_OLD.seconds // 60} minutes: no replica leads, or it does not run"
    if run.state is RunState.WAITING and now - run.updated_at > WAITS:
        return "nobody approved its next step within a day"
    return ""


# --- what is written down ---------------------------------------------------------------------------------------------
def results_of(run: RunbookRun) -> list[StepResult]:
    """Its steps so far, in order; empty before they were checked."""
    return [_result(each) for each in run.results]


def with_result(run: RunbookRun, number: int, result: StepResult, now: datetime) -> RunbookRun:
    """The run with another result of one step."""
    results = results_of(run)
    results[number] = result
    return with_results(run, results, now)


def with_results(run: RunbookRun, results: Sequence[StepResult], now: datetime) -> RunbookRun:
    """The run with other results."""
    return replace(run, results=tuple(as_json(each) for each in results), updated_at=now)


def as_json(result: StepResult) -> dict[str, JSON]:
    """What stands in the database; what is empty is left out."""
    data: dict[str, JSON] = {"name": result.name, "kind": result.kind, "state": result.state.value}
    for name in ("checked", "approved_by", "before", "text", "output"):
        if written := getattr(result, name):
            data[name] = written
    data |= {name: at.isoformat() for name in ("begun_at", "ended_at") if (at := getattr(result, name)) is not None}
    return data


def _result(data: Mapping[str, JSON]) -> StepResult:
    texts = {
        each.name: str(data.get(each.name) or "")
        for each in fields(StepResult)
        if each.name not in ("state", "begun_at", "ended_at")
    }
    times = {
        name: datetime.fromisoformat(str(data[name])) if data.get(name) else None for name in ("begun_at", "ended_at")
    }
    return StepResult(state=StepState(data["state"]), **texts, **times)  # type: ignore[arg-type]  # by name, above


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """Printable, and not longer than that: the end is kept, for that is where programs say what went wrong."""
    kept = "".join(each for each in text if each.isprintable() or each == "\n").strip()
    return kept if len(kept) <= longest else f"…{kept[1 - longest :]}"
