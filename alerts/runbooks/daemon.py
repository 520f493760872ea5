"""Carries runs of runbooks out, one step after the other. Only who leads does.

Every step is written down as begun before it is done, in a transaction that a lost lease fails, and no transaction is
open while it is done. A step during which our process ended is looked at again once it must have ended: done again only
where twice is as good as once, else the run fails and says that nobody knows.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.writing import write
from alerts.model import AlertsDeclared
from alerts.runbooks.asking import noted
from alerts.runbooks.linking import page_of, runbook_for
from alerts.runbooks.model import Runbook, RunbookStep, StepKind
from alerts.runbooks.ports import AfterCrash, Performed, Performer
from alerts.runbooks.running import (
    LONGEST_OUTPUT,
    OPEN,
    TOO_OLD,
    Move,
    MoveKind,
    StepResult,
    StepState,
    cut,
    hash_of,
    next_move,
    results_of,
    with_result,
    with_results,
)
from controlplane import incident_names as names
from controlplane.conventions import RUNBOOK_URL
from controlplane.model.alert import Alert
from controlplane.model.event import Event
from controlplane.model.follow_up import RunbookRun, RunState
from controlplane.ports import Clock, HeldLease, Permanent, Store, Transaction, Transient

EVERY: Final = timedelta(seconds=2)
ACTOR: Final = "flyball"  # who begins what starts by itself
CURSOR: Final = "runbooks"
_RUNS: Final = 1000
_EVENTS: Final = 200
_ALERTS: Final = 20
_MOST_MOVES: Final = 1000  # of one run in one turn
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one turn did: runs begun by themselves, moves made, runs that ended."""

    begun: int
    moves: int
    ended: int


class RunbookDaemon:
    """`is_stopped` tells why nothing may be done, empty when it may. `console_url`: where people reach the console.

    `performers`: a kind without one is refused when the run is checked.
    """

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        performers: Mapping[StepKind, Performer],
        *,
        clock: Clock,
        is_stopped: Callable[[], str] = lambda: "",
        console_url: str = "",
    ) -> None:
        self._store = store
        self._declared = declared
        self._performers = performers
        self._clock = clock
        self._is_stopped = is_stopped
        self._console_url = console_url

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Ran:
        """Move every open run as far as it goes. Raises what the store raises, and `LeaseLost`."""
        begun = self._begin_what_starts_by_itself(now, lease)
        with self._store.transaction(read_only=True) as transaction:
            open_ = transaction.follow_up.runs(limit=_RUNS, only_open=True)
        moves = ended = 0
        for run in reversed(open_):
            present: RunbookRun | None = run
            for _ in range(_MOST_MOVES):
                assert present is not None
                later = self._moved(present, lease)
                if later is None:
                    break
                moves, present = moves + 1, later
            ended += present is not None and present.state not in OPEN
        return Ran(begun, moves, ended)

    # --- what begins by itself ----------------------------------------------------------------------------------------
    def _begin_what_starts_by_itself(self, now: datetime, lease: HeldLease | None) -> int:
        runbooks = [runbook for runbook in self._declared().runbooks if runbook.starts_by_itself and runbook.steps]
        with self._store.transaction(read_only=True) as transaction:  # mostly there is nothing: that holds up no writer
            cursor = transaction.incidents.cursor(CURSOR)
            if not transaction.events.after(cursor, 1, [names.EVENT_INCIDENT_OPENED]):
                return 0
        with self._store.transaction(lease=lease) as transaction:
            incidents = transaction.incidents
            opened = transaction.events.after(incidents.cursor(CURSOR), _EVENTS, [names.EVENT_INCIDENT_OPENED])
            if not opened:
                return 0
            incidents.lock()
            begun = 0
            for each in opened:
                if runbooks and now - each.recorded_at <= TOO_OLD:
                    begun += self._begin_for(transaction, each.event.subject, now)
            incidents.put_cursor(CURSOR, opened[-1].sequence)
            return begun

    def _begin_for(self, transaction: Transaction, id_: str, now: datetime) -> int:
        incident = transaction.incidents.incident(id_)
        if incident is None or not incident.is_open or incident.is_drill:
            return 0
        alerts = [stored.alert for _, stored in transaction.incidents.alerts_of(id_, _ALERTS) if stored is not None]
        found = [runbook for alert in alerts for runbook in self._runbooks_of(alert)]
        chosen = {each.name: each for each in found if each.starts_by_itself and each.steps}
        begun = 0
        for runbook in chosen.values():
            run = hashlib.sha256(f"{id_} {runbook.name}".encode()).hexdigest()[:12]
            if transaction.follow_up.run(run) is not None:
                continue
            made = RunbookRun(
                id=run, runbook=runbook.name, incident=id_, actor=ACTOR, is_dry=False, state=RunState.RUNNING,
                created_at=now, updated_at=now, steps_hash=hash_of(runbook.steps), why="it starts by itself",
            )  # fmt: skip
            transaction.follow_up.put_run(made)
            noted(transaction, made, "begun", f"The runbook {runbook.name} began by itself", ACTOR, now)
            begun += 1
        return begun

    def _runbooks_of(self, alert: Alert) -> Iterator[Runbook]:
        """Those that the alert links itself, and those that name it."""
        runbooks = self._declared().runbooks
        own = alert.annotations.get(RUNBOOK_URL, "").strip()
        yield from (each for each in runbooks if own and own in (each.url, page_of(each, self._console_url)))
        yield from runbook_for(alert.labels, runbooks)

    # --- one move -----------------------------------------------------------------------------------------------------
    def _moved(self, run: RunbookRun, lease: HeldLease | None) -> RunbookRun | None:
        """The run after its next move; None when there is none now, or somebody else changed it."""
        now = self._clock.now()
        runbook = next((each for each in self._declared().runbooks if each.name == run.runbook), None)
        move = next_move(run, runbook, now, is_over=self._is_over(run))
        if move.kind is MoveKind.END:
            return self._end(run, move, lease)
        if move.kind is MoveKind.REST or runbook is None or self._is_stopped():
            return None
        step = runbook.steps[move.step]
        match move.kind:
            case MoveKind.CHECK:
                return self._check(run, runbook, lease)
            case MoveKind.ASK:
                return self._ask(run, step, lease)
            case MoveKind.SHOW:
                return self._show(run, move.step, lease)
            case MoveKind.RECOVER:
                return self._recover(run, step, move.step, lease)
            case _:
                return self._perform(run, step, move.step, lease)

    def _is_over(self, run: RunbookRun) -> bool:
        if run.actor != ACTOR or not run.incident:
            return False
        with self._store.transaction(read_only=True) as transaction:
            incident = transaction.incidents.incident(run.incident)
        return incident is not None and not incident.is_open

    def _check(self, run: RunbookRun, runbook: Runbook, lease: HeldLease | None) -> RunbookRun | None:
        """What every step would do. Nothing is done when one of them cannot be."""
        results, fault = [], ""
        for number, step in enumerate(runbook.steps, 1):
            result = StepResult(step.name, step.kind.value, StepState.CHECKED)
            try:
                result = replace(result, checked=cut(self._performer(step).check(step)))
            except (Permanent, Transient) as error:
                result = replace(result, state=StepState.FAILED, text=cut(str(error)))
                fault = fault or f"step {number}, {step.name}, cannot be done: {cut(str(error))}"
            results.append(result)
        now = self._clock.now()
        checked = with_results(run, results, now)
        if fault:
            failed = replace(checked, state=RunState.FAILED, why=f"{fault}. Nothing was changed")
            return self._ended(run, failed, lease, now)
        text = f"Every step of the runbook {run.runbook} was checked: nothing was changed yet"
        return self._write(run, checked, lease, now, word="checked", text=text)

    def _ask(self, run: RunbookRun, step: RunbookStep, lease: HeldLease | None) -> RunbookRun | None:
        now = self._clock.now()
        number = run.next_step + 1
        waiting = replace(run, state=RunState.WAITING, updated_at=now)
        text = (
            f"The runbook {run.runbook} waits for approval of step {number}, {step.name}:"
            f" flyball runbooks approve {run.id} {number}"
        )
        return self._write(run, waiting, lease, now, word=f"asks:{number}", text=text, is_news=True)

    def _show(self, run: RunbookRun, number: int, lease: HeldLease | None) -> RunbookRun | None:
        now = self._clock.now()
        result = results_of(run)[number]
        shown = with_result(run, number, replace(result, state=StepState.SHOWN), now)
        text = f"Step {number + 1}, {result.name}, was not done in a dry run: {result.checked}"
        return self._write(run, replace(shown, next_step=number + 1), lease, now, word=f"shown:{number + 1}", text=text)

    def _perform(
        self, run: RunbookRun, step: RunbookStep, number: int, lease: HeldLease | None, *, again: bool = False
    ) -> RunbookRun | None:
        """Write down that it begins, do it, write down how it went."""
        result = results_of(run)[number]
        try:
            before = result.before if again else cut(self._performer(step).look(step))
        except (Permanent, Transient) as error:
            return self._step_ended(run, number, replace(result, before=""), lease, fault=error)
        now = self._clock.now()
        intent = replace(result, state=StepState.BEGUN, begun_at=now, before=before)
        whose = f", approved by {result.approved_by}" if result.approved_by else ""
        text = f"Step {number + 1}, {step.name}, begins{' again' if again else ''}: {result.checked}{whose}"
        word = f"step_begun:{number + 1}{':again' if again else ''}"
        begun = self._write(run, with_result(run, number, intent, now), lease, now, word=word, text=text)
        if begun is None:
            return None
        try:
            done = self._performer(step).perform(step, f"{run.id}:{number + 1}")
        except (Permanent, Transient) as error:
            return self._step_ended(begun, number, intent, lease, fault=error)
        return self._step_ended(begun, number, intent, lease, done=done)

    def _recover(
        self, run: RunbookRun, step: RunbookStep, number: int, lease: HeldLease | None
    ) -> RunbookRun | None:  # fmt: skip
        """Of a step during which our process ended."""
        result = results_of(run)[number]
        try:
            known, why = self._performer(step).after_crash(step, result.before)
        except (Permanent, Transient) as error:
            known, why = AfterCrash.UNCLEAR, str(error)
        log.warning("runbook.step_interrupted", extra={"run": run.id, "step": step.name, "known": known.value})
        if known is AfterCrash.AGAIN:
            return self._perform(run, step, number, lease, again=True)
        if known is AfterCrash.DONE:
            return self._step_ended(run, number, result, lease, done=Performed(why))
        fault = Permanent(f"our process ended while it was under way, and nobody knows whether it was done: {why}")
        return self._step_ended(run, number, result, lease, fault=fault)

    def _step_ended(
        self,
        run: RunbookRun,
        number: int,
        result: StepResult,
        lease: HeldLease | None,
        *,
        done: Performed | None = None,
        fault: Exception | None = None,
    ) -> RunbookRun | None:
        now = self._clock.now()
        if done is not None:
            text, output = cut(done.text), cut(done.output, LONGEST_OUTPUT)
            ended = replace(result, state=StepState.DONE, ended_at=now, text=text, output=output)
            later = replace(with_result(run, number, ended, now), next_step=number + 1)
            said = f"Step {number + 1}, {result.name}, is done: {text}"
            return self._write(run, later, lease, now, word=f"step_done:{number + 1}", text=said)
        reason = cut(str(fault))
        ended = replace(result, state=StepState.FAILED, ended_at=now, text=reason)
        why = f"step {number + 1}, {result.name}, failed: {reason}"
        return self._ended(
            run, replace(with_result(run, number, ended, now), state=RunState.FAILED, why=why), lease, now
        )

    def _end(self, run: RunbookRun, move: Move, lease: HeldLease | None) -> RunbookRun | None:
        now = self._clock.now()
        return self._ended(run, replace(run, state=move.state, why=move.why or run.why, updated_at=now), lease, now)

    def _ended(
        self, run: RunbookRun, ended: RunbookRun, lease: HeldLease | None, now: datetime
    ) -> RunbookRun | None:  # fmt: skip
        dry = "The dry run of the" if run.is_dry else "The"
        how = {RunState.DONE: "is done", RunState.FAILED: "stopped", RunState.CANCELLED: "was cancelled"}[ended.state]
        why = "" if ended.state is RunState.DONE else f": {ended.why}"
        log.info("runbook.ended", extra={"run": run.id, "runbook": run.runbook, "state": ended.state.value})
        text = f"{dry} runbook {run.runbook} {how}{why}"
        return self._write(run, ended, lease, now, word=ended.state.value, text=text, is_news=not run.is_dry)

    # --- writing ------------------------------------------------------------------------------------------------------
    def _write(
        self,
        run: RunbookRun,
        later: RunbookRun,
        lease: HeldLease | None,
        now: datetime,
        *,
        word: str,
        text: str,
        is_news: bool = False,
    ) -> RunbookRun | None:
        """The run as it is then. Who cancelled it while a step was under way is heard after that step."""
        with self._store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            present = transaction.follow_up.run(run.id)
            if present is None or (present != run and not word.startswith(("step_done", "failed"))):
                return None
            if present.state not in OPEN:
                later = replace(present, results=later.results, next_step=later.next_step)
            transaction.follow_up.put_run(later)
            noted(transaction, later, word, text, later.actor, now)
            if later.state not in OPEN and present.state in OPEN:
                transaction.events.append(_event(later, now), now)
            if is_news:
                self._tell(transaction, later, now)
        return later

    def _tell(self, transaction: Transaction, run: RunbookRun, now: datetime) -> None:
        """The incident has news."""
        incident = transaction.incidents.incident(run.incident) if run.incident else None
        if incident is not None and incident.is_open:
            newer = transaction.incidents.put(replace(incident, version=incident.version + 1, updated_at=now))
            write(transaction, newer, [], [], declared=self._declared(), now=now)

    def _performer(self, step: RunbookStep) -> Performer:
        found = self._performers.get(step.kind)
        if found is None:
            raise Permanent(f"nothing here carries out steps of kind {step.kind.value}")
        return found


def _event(run: RunbookRun, now: datetime) -> Event:
    done = sum(result.state is StepState.DONE for result in results_of(run))
    return Event(
        id=f"{names.EVENT_RUNBOOK_RAN}:{run.id}",
        kind=names.EVENT_RUNBOOK_RAN,
        subject=run.runbook,
        occurred_at=now,
        data={
            "run": run.id,
            "incident": run.incident,
            "state": run.state.value,
            "dry": run.is_dry,
            "actor": run.actor,
            "steps": len(run.results),
            "done": done,
            "why": run.why,
        },
    )
