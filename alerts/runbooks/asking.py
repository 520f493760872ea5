"""What people say about runs of runbooks: begin, approve, refuse, cancel. Who leads does the rest.

Every change is one transaction with its entry in the audit log and its line in the incident's timeline.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.runbooks.model import Runbook
from alerts.runbooks.running import OPEN, StepState, hash_of, results_of, with_result
from controlplane.model.event import JSON
from controlplane.model.follow_up import RunbookRun, RunState
from controlplane.model.incident import TimelineEntry, TimelineKind
from controlplane.ports import Store, Transaction

LONGEST_NAME: Final = 100
LONGEST_WHY: Final = 500
_RUNS: Final = 1000


class Refused(Exception):
    """It cannot be done: why, and what could be done instead."""


def begin(
    store: Store, runbook: Runbook, *, incident: str = "", by: str, is_dry: bool, why: str, now: datetime, run: str
) -> RunbookRun:
    """Ask for a run. `incident` is an id or a name, empty for none; `run` an id that was not used before."""
    by = _said(by, "who begins it")
    if not runbook.steps:
        raise Refused(f"the Runbook {runbook.name} has no steps: it is there to be read")
    with store.transaction() as transaction:
        transaction.incidents.lock()
        about = ""
        if incident:
            found = transaction.incidents.incident(incident)
            if found is None:
                raise Refused(f"there is no incident `{incident[:LONGEST_NAME]}`: flyball incidents list shows them")
            about = found.id
        if not is_dry:
            _ensure_only_one(transaction.follow_up.runs(runbook=runbook.name, limit=_RUNS, only_open=True), about)
        made = RunbookRun(
            id=run, runbook=runbook.name, incident=about, actor=by, is_dry=is_dry, state=RunState.RUNNING,
            created_at=now, updated_at=now, steps_hash=hash_of(runbook.steps), why=why[:LONGEST_WHY],
        )  # fmt: skip
        transaction.follow_up.put_run(made)
        said = f"{by} began {'a dry run of ' if is_dry else ''}the runbook {runbook.name}{f': {why}' if why else ''}"
        noted(transaction, made, "begun", said, by, now)
    return made


def approve(store: Store, run: str, step: int, *, by: str, now: datetime) -> RunbookRun:
    """Allow the step for which the run waits. `step` counts from 1 and says which one was meant: no other is allowed.

    Approving it twice changes nothing.
    """
    by = _said(by, "who approves it")
    with store.transaction() as transaction:
        transaction.incidents.lock()
        found = _open(transaction, run)
        results = results_of(found)
        if not 1 <= step <= len(results):
            raise Refused(f"the run {run} has steps 1 to {len(results)}")
        result = results[step - 1]
        if result.approved_by:
            return found
        if found.state is not RunState.WAITING or found.next_step != step - 1 or result.state is not StepState.CHECKED:
            raise Refused(f"the run {run} does not wait for an approval of step {step}: {waits_for(found)}")
        later = replace(
            with_result(found, step - 1, replace(result, approved_by=by), now), state=RunState.RUNNING
        )  # fmt: skip
        transaction.follow_up.put_run(later)
        noted(transaction, later, f"approved:{step}", f"{by} approved step {step}, {result.name}", by, now)
    return later


def end(store: Store, run: str, *, by: str, why: str, now: datetime) -> RunbookRun:
    """Refuse the step for which it waits, or cancel what is not begun yet. A step under way is not stopped by it."""
    by, why = _said(by, "who ends it"), why.strip()[:LONGEST_WHY]
    with store.transaction() as transaction:
        transaction.incidents.lock()
        found = _open(transaction, run)
        state = RunState.REFUSED if found.state is RunState.WAITING else RunState.CANCELLED
        ended = replace(found, state=state, updated_at=now, why=f"{by}{f': {why}' if why else ''}")
        transaction.follow_up.put_run(ended)
        noted(transaction, ended, state.value, f"{by} {state.value} the runbook {found.runbook}", by, now, why=why)
    return ended


def waits_for(run: RunbookRun) -> str:
    """Where a run stands, in words."""
    results = results_of(run)
    if run.state is RunState.WAITING and run.next_step < len(results):
        return f"it waits for step {run.next_step + 1}, {results[run.next_step].name}"
    return {
        RunState.WAITING: "it waits",
        RunState.RUNNING: "it runs",
        RunState.DONE: "it is done",
        RunState.FAILED: "it failed",
        RunState.REFUSED: "it was refused",
        RunState.CANCELLED: "it was cancelled",
    }[run.state]


def noted(
    transaction: Transaction, run: RunbookRun, word: str, text: str, by: str, now: datetime, **detail: JSON
) -> None:
    """Into the audit log, and into the timeline of the incident that it is about."""
    transaction.audit.append(
        at=now,
        actor=by,
        action=f"runbook.{word.partition(':')[0]}",
        subject=run.runbook,
        detail={"run": run.id, "dry": run.is_dry, "incident": run.incident, "text": text, **detail},
    )
    if run.incident:
        data: dict[str, JSON] = {"run": run.id, "runbook": run.runbook, "dry": run.is_dry}
        entry = TimelineEntry(f"runbook:{run.id}:{word}", run.incident, now, TimelineKind.RUNBOOK, text, by, data)
        transaction.incidents.note([entry], now)


def _ensure_only_one(runs: Sequence[RunbookRun], incident: str) -> None:
    for run in runs:
        if not run.is_dry and run.incident == incident:
            raise Refused(f"it runs already, as {run.id}: {waits_for(run)}")


def _open(transaction: Transaction, run: str) -> RunbookRun:
    found = transaction.follow_up.run(run)
    if found is None:
        raise Refused(f"there is no run `{run[:LONGEST_NAME]}`: flyball runbooks runs shows them")
    if found.state not in OPEN:
        raise Refused(f"the run {run} is over: {waits_for(found)}")
    return found


def _said(text: str, what: str) -> str:
    said = " ".join("".join(each for each in text if each.isprintable() or each.isspace()).split())[:LONGEST_NAME]
    if not said:
        raise Refused(f"say {what}")
    return said
