"""One sample of one ladder: read its signals, decide, keep what was decided, and write down the step to come."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane.ladder_ports import LadderLog
from controlplane.model.event import JSON
from controlplane.model.ladder import LadderState, StepPhase, StepRecord
from controlplane.ports import HeldLease, Store, Transaction
from finops.ladder.acting import plan, remembering, rivals
from finops.ladder.acting.journal import Journal, kept, unmoved
from finops.ladder.acting.noting import told_of
from finops.ladder.acting.ordered import journeys_of
from finops.ladder.controller import decide, moved
from finops.ladder.deciding import Because, Decision, Given, Move, Note
from finops.ladder.last_decision import LAST, last_as_json
from finops.ladder.model import Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.savings.believing import savings_now
from finops.ladder.standing import SHADOW

ReadSignals = Callable[[Ladder, datetime, Mapping[int, Decimal]], Readings]
"""One sample of a ladder now; the last argument is what each tier in force saves, in money an hour."""
_NOTHING: Final = Decimal(0)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided, and the step that was written down for it."""

    decision: Decision
    step: StepRecord | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides for ladders. `ids` gives each step a name that no other has."""

    store: Store
    read_signals: ReadSignals
    is_killed: Callable[[], str]
    ids: Callable[[], str]

    def judge(self, journal: Journal, ladder: Ladder, now: datetime) -> Judgement:
        """One sample of a ladder that acts, or asks."""
        with self.store.transaction(read_only=True) as transaction:
            state = transaction.ladders.state(ladder.name)
            saving = _savings(transaction, ladder, state, now)
        readings = self.read_signals(ladder, now, saving)  # takes seconds: no transaction is open meanwhile
        with self.store.transaction(lease=journal.lease) as transaction:
            transaction.ladders.lock()
            return self._decide(transaction, journal, ladder, readings, now)

    def judge_virtually(self, ladder: Ladder, lease: HeldLease | None, now: datetime) -> Judgement:
        """One sample of a ladder in shadow mode: what it would do is done in its memory only."""
        name = ladder.name + SHADOW
        with self.store.transaction(read_only=True) as transaction:
            memory = remembering.remembered_virtually(ladder, transaction.ladders.state(name), now)
        readings = imagined(self.read_signals(ladder, now, {}), ladder, memory.tier)
        with self.store.transaction(lease=lease) as transaction:
            ladders = transaction.ladders
            ladders.lock()
            state = ladders.state(name) or unmoved(name, now)
            given = Given(readings, tuple(ladders.approvals(ladder.name, now)), ladders.hold(ladder.name))
            decision = decide(ladder, memory, given, now)
            after = decision.state
            if decision.move is not None:
                after = moved(ladder, after, decision.move, now)
            counters = _counters(state, replace(decision, state=after), readings, ladder, now)
            counters = remembering.with_memory(counters, after)
            told = told_of(transaction, ladder, state, decision, now)
            ladders.put_state(replace(state, counters=counters, told=told, updated_at=now))
        return Judgement(decision)

    def _decide(
        self, transaction: Transaction, journal: Journal, ladder: Ladder, readings: Readings, now: datetime
    ) -> Judgement:
        """All that people said is read in the transaction that writes the step down: nobody is late by a moment."""
        ladders = transaction.ladders
        state = ladders.state(ladder.name) or unmoved(ladder.name, now)
        restored = remembering.remembered(ladder, state, ladders.steps(ladder.name, remembering.recent(now)), now)
        if restored.problem:
            log.warning("finops.ladder_forgot", extra={"ladder": ladder.name, "error": restored.problem})
        is_stepping = ladders.open_step(ladder.name) is not None or bool(ladders.open_orders(ladder.name))
        given = Given(
            readings=readings,
            approvals=tuple(ladders.approvals(ladder.name, now)),
            hold=ladders.hold(ladder.name),
            theirs=tuple(sorted(state.theirs or {})),
            is_stepping=is_stepping,
            is_killed=bool(self.is_killed()),
        )
        decision = _unless_taken(ladders, ladder, state, decide(ladder, restored.state, given, now))
        counters = remembering.with_memory(_counters(state, decision, readings, ladder, now), decision.state)
        told = told_of(transaction, ladder, state, decision, now)
        state = replace(state, counters=counters, told=told, updated_at=now)
        ladders.put_state(state)
        if decision.move is None or _is_elsewhere(ladder, state, decision.move):
            return Judgement(decision)
        recorded = ladders.step(state.applied[-1].step) if state.applied else None
        step = _step(ladder, state, decision.move, self.ids(), recorded, now)
        journal.intend(transaction, step)
        return Judgement(decision, step)


def _unless_taken(log: LadderLog, ladder: Ladder, state: LadderState, decision: Decision) -> Decision:
    """No step up onto flags that another ladder has in force, such as one that was renamed."""
    move = decision.move
    if move is None or move.to_tier <= move.from_tier:
        return decision
    flags = {change.flag for change in plan.changes_up(ladder, state.tier, move.to_tier, kept(state))}
    if not (held := rivals.held_by_others(log, ladder.name, ladder.store, flags)):
        return decision
    note = Note(Because.TAKEN, rivals.in_words(held), move.to_tier, is_alert=True)
    return replace(decision, move=None, notes=(*decision.notes, note))


def imagined(readings: Readings, ladder: Ladder, tier: int) -> Readings:
    """A sample as it would be with the tiers up to this one in force, by what they are declared to save.

    In shadow mode nothing is saved: without this a ladder would climb on although its first tier might have done.
    """
    present = [each.saving_per_hour for each in ladder.tiers if each.number <= tier]
    signals = {name: _lowered(each, present) for name, each in readings.signals.items()}
    return replace(readings, signals=signals, savings=dict(enumerate(present, start=1)))


def _lowered(reading: Reading, savings: Sequence[Decimal]) -> Reading:
    """Never below zero; and its sensitivity leads back to what it would be without the last of them, and no further."""
    if reading.quality is not Quality.GOOD or reading.value is None or reading.per_hour is None or not savings:
        return reading
    without = reading.value - reading.per_hour * sum(savings[:-1], _NOTHING)
    value = without - reading.per_hour * savings[-1]
    if value >= 0:
        return replace(reading, value=value)
    more = max(without, _NOTHING) / savings[-1] if savings[-1] > 0 else reading.per_hour
    return replace(reading, value=_NOTHING, per_hour=more)


def _savings(
    transaction: Transaction, ladder: Ladder, state: LadderState | None, now: datetime
) -> Mapping[int, Decimal]:
    """What each tier in force saves: by its receipt where that is measured, else as declared."""
    if state is None or not state.applied:
        return {}
    return savings_now(ladder, state, transaction.ladders.receipts(ladder.name, now))


def _counters(
    state: LadderState, decision: Decision, readings: Readings, ladder: Ladder, now: datetime
) -> dict[str, JSON]:
    return {**state.counters, LAST: last_as_json(decision, readings, ladder.mode, now)}


def _is_elsewhere(ladder: Ladder, state: LadderState, move: Move) -> bool:
    """Whether the tiers in force were written into another flag store: nothing is built on them."""
    return move.to_tier > move.from_tier and bool(state.applied) and state.store != ladder.store


def _step(
    ladder: Ladder, state: LadderState, move: Move, id_: str, recorded: StepRecord | None, now: datetime
) -> StepRecord:
    is_up = move.to_tier > move.from_tier
    changes = (
        plan.changes_up(ladder, state.tier, move.to_tier, kept(state))
        if is_up
        else plan.changes_down(state, move.to_tier)
    )
    return StepRecord(
        id=id_,
        ladder=ladder.name,
        store=ladder.store if is_up else state.store,
        from_tier=move.from_tier,
        to_tier=move.to_tier,
        cause=move.cause,
        reason=move.reason,
        actor=remembering.ACTOR,
        decided_at=now,
        phase=StepPhase.INTENT,
        changes=changes,
        journeys=journeys_of(ladder, state, move.to_tier, recorded.journeys if recorded else ()),
        approval=move.approval,
    )


def acts(ladder: Ladder) -> bool:
    """Whether a ladder may do more than say what it would do."""
    return ladder.mode is not Mode.SHADOW
