"""What a step leaves in the database: every phase is one transaction, and one that somebody else's lease ends.

The flag store is never asked inside a transaction, so none is open for longer than the database takes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.ladder import (
    FlagValue,
    LadderOrder,
    LadderState,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from controlplane.ports import Clock, HeldLease, Store, Transaction
from finops.ladder.acting import plan, remembering, telling
from finops.ladder.acting.telling import Page
from finops.ladder.model import Ladder

KEPT: Final = "kept"
"""Among a ladder's counters: flags that people want left alone until the ladder is back at full service."""
STORE_DOWN: Final = "store-down"
"""Among what a ladder's people were told: that its flag store does not answer, and since when."""
PATIENCE: Final = timedelta(minutes=1)  # a flag store that is back by then wakes nobody
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Journal:
    """Writes of one ladder under one lease. `ladder` is None where it is no longer declared."""

    store: Store
    clock: Clock
    name: str
    ladder: Ladder | None
    lease: HeldLease | None = None

    def ensure_leading(self) -> None:
        """Raise `LeaseLost` unless we still lead."""
        if self.lease is not None:
            with self.store.transaction(lease=self.lease):
                pass

    def state(self) -> LadderState | None:
        """Where the ladder stands."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.state(self.name)

    def reread(self, step: StepRecord) -> StepRecord:
        """The step as it is written down."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.step(step.id) or step

    def order(self, order: LadderOrder) -> LadderOrder:
        """The order as it is written down."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.order(order.id) or order

    def step(self, step: str) -> StepRecord | None:
        """The step of that id."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.step(step)

    def begin(self, step: StepRecord, order: LadderOrder) -> StepRecord:
        """Write down what an order intends now; nothing is done before that."""
        with self.store.transaction(lease=self.lease) as transaction:
            transaction.ladders.lock()
            if order.begun_at == step.decided_at:
                detail: dict[str, JSON] = {"order": order.id, "kind": order.kind.value, "to": order.argument}
                transaction.audit.append(
                    at=step.decided_at, actor=order.by, action="ladder.order_begun", subject=self.name, detail=detail
                )
            transaction.ladders.put_order(order)
            self.intend(transaction, step)
        return step

    def intend(self, transaction: Transaction, step: StepRecord) -> None:
        """Write down what a step is going to do, in this transaction."""
        transaction.ladders.put_step(step)
        self._audit(transaction, step, "begun", step.decided_at)
        log.info("finops.step_begun", extra=_fields(step))

    def advance(self, step: StepRecord, **changed: object) -> StepRecord:
        """The step as it goes on, written down before what it goes on to is done. The outside answers again."""
        now = self.clock.now()
        later = replace(step, **changed)  # type: ignore[arg-type]  # names and types are the callers'
        with self.store.transaction(lease=self.lease) as transaction:
            transaction.ladders.put_step(later)
            self._audit(transaction, later, later.phase.value, now)
            self.answered(transaction, now)
        return later

    def give_way(
        self, step: StepRecord, why: str, theirs: Mapping[str, FlagValue], who: Mapping[str, str]
    ) -> StepRecord:
        """The step is to be undone, and these flags, which a person changed, are left as they are."""
        now = self.clock.now()
        later = replace(step, phase=StepPhase.UNDOING, undo_as=StepOutcome.YIELDED, detail=why)
        with self.store.transaction(lease=self.lease) as transaction:
            transaction.ladders.lock()
            transaction.ladders.put_step(later)
            self._audit(transaction, later, later.phase.value, now)
            self.yield_flags(transaction, theirs, now, step=step.id, who=who)
            self.answered(transaction, now)
        return later

    def hold_up(self, step: StepRecord, why: str) -> StepRecord:
        """The flag store did not answer: the step goes on with the next turn. People hear of it once."""
        now = self.clock.now()
        detail = step.detail if step.phase is StepPhase.UNDOING else why
        later = replace(step, attempts=step.attempts + 1, detail=detail)
        with self.store.transaction(lease=self.lease) as transaction:
            transaction.ladders.put_step(later)
            self.unanswered(transaction, why, now)
            if later.attempts == 1:
                self._audit(transaction, later, "held_up", now)
        if later.attempts == 1:  # it is tried every second
            log.warning("finops.flag_store_down", extra=_fields(step) | {"store": step.store, "error": why})
        return later

    def commit(self, step: StepRecord) -> StepRecord:
        """The step stands; or its approval was withdrawn meanwhile, and it has to be undone."""
        now = self.clock.now()
        with self.store.transaction(lease=self.lease) as transaction:
            ladders = transaction.ladders
            ladders.lock()
            approval = ladders.approval(step.approval) if step.approval else None
            if approval is not None and approval.withdrawn_at is not None:
                later = replace(step, phase=StepPhase.UNDOING, detail="its approval was withdrawn while it ran")
                ladders.put_step(later)
                self._audit(transaction, later, later.phase.value, now)
                return later
            if approval is not None:
                ladders.put_approval(replace(approval, used_by=step.id))
            ended = replace(
                step,
                phase=StepPhase.ENDED, outcome=StepOutcome.COMMITTED, verified_at=step.verified_at or now,
                ended_at=now, detail="",
            )  # fmt: skip
            state = ladders.state(self.name) or unmoved(self.name, now)
            ladders.put_step(ended)
            ladders.put_state(self._moved(state, ended, now))
            self._tell_commit(transaction, ended, now)
        log.info("finops.tier_changed", extra=_fields(ended))
        return ended

    def stuck(self, step: StepRecord, why: str) -> StepRecord:
        """The step can be neither finished nor undone now. People hear of it once; it is tried again every turn."""
        now = self.clock.now()
        later = replace(step, attempts=step.attempts + 1)
        with self.store.transaction(lease=self.lease) as transaction:
            transaction.ladders.put_step(later)
            self.page(transaction, telling.stuck_page(step, why), now)
            if later.attempts == 1:
                self._audit(transaction, later, "stuck", now)
        if later.attempts == 1:
            log.error("finops.step_stuck", extra=_fields(step) | {"store": step.store, "error": why})
        return later

    def end(
        self,
        step: StepRecord,
        outcome: StepOutcome,
        detail: str,
        theirs: Mapping[str, FlagValue] | None = None,
        *,
        who: Mapping[str, str] | None = None,
    ) -> StepRecord:
        """The step does not stand. `theirs`: flags that a person changed, with what we had, or would have, written."""
        now = self.clock.now()
        ended = replace(step, phase=StepPhase.ENDED, outcome=outcome, ended_at=now, detail=detail)
        with self.store.transaction(lease=self.lease) as transaction:
            ladders = transaction.ladders
            ladders.lock()
            state = ladders.state(self.name) or unmoved(self.name, now)
            counters = remembering.after_failure(self.ladder, state, ended, now)
            state = replace(state, counters=counters, updated_at=now)
            ladders.put_step(ended)
            ladders.put_state(state)
            self._tell_end(transaction, ended, now)
            self.yield_flags(transaction, theirs or {}, now, step=step.id, who=who)
        log.warning("finops.step_failed", extra=_fields(ended) | {"outcome": outcome.value, "reason": detail})
        return ended

    def yield_flags(
        self,
        transaction: Transaction,
        theirs: Mapping[str, FlagValue],
        now: datetime,
        *,
        step: str = "",
        who: Mapping[str, str] | None = None,
    ) -> list[str]:
        """These flags are people's now: the ladder holds until somebody says what becomes of them. The new ones."""
        state = transaction.ladders.state(self.name) or unmoved(self.name, now)
        known = dict(state.theirs or {})
        new = {flag: value for flag, value in theirs.items() if flag not in known}
        if not new:
            return []
        transaction.ladders.put_state(replace(state, theirs={**known, **new}, updated_at=now))
        by = who or {}
        for flag, value in new.items():
            data: dict[str, JSON] = {"ladder": self.name, "ours": value, "by": by.get(flag, ""), "step": step}
            id_ = f"{names.EVENT_FLAG_YIELDED}:{self.name}:{flag}@{now.isoformat()}"
            transaction.events.append(Event(id_, names.EVENT_FLAG_YIELDED, flag, now, data), now)
        ours: dict[str, JSON] = dict(new)
        found: dict[str, JSON] = dict(by)
        detail: dict[str, JSON] = {"flags": ours, "step": step, "by": found}
        transaction.audit.append(
            at=now, actor=remembering.ACTOR, action="ladder.yielded", subject=self.name, detail=detail
        )
        self.page(transaction, telling.yielded_page(self.name, new, by, now), now)
        log.warning("finops.flag_yielded", extra={"ladder": self.name, "flags": sorted(new)})
        return sorted(new)

    def unanswered(self, transaction: Transaction, why: str, now: datetime) -> None:
        """The flag store does not answer; after a minute people are told, once."""
        state = transaction.ladders.state(self.name) or unmoved(self.name, now)
        told = dict(state.told or {})
        before = told.get(STORE_DOWN)
        entry: dict[str, JSON] = {"since": now.isoformat(), "paged": False}
        if isinstance(before, dict):
            entry = dict(before)
        since = datetime.fromisoformat(str(entry["since"]))
        if not entry["paged"] and now - since >= PATIENCE:
            entry["paged"] = True
            self.page(transaction, telling.store_down_page(self.name, why, since), now)
        if entry != before:
            told[STORE_DOWN] = entry
            transaction.ladders.put_state(replace(state, told=told, updated_at=now))

    def answered(self, transaction: Transaction, now: datetime) -> None:
        """The flag store answers (again)."""
        state = transaction.ladders.state(self.name)
        told = dict(state.told or {}) if state else {}
        entry = told.pop(STORE_DOWN, None)
        if state is None or not isinstance(entry, dict):
            return
        transaction.ladders.put_state(replace(state, told=told, updated_at=now))
        if entry.get("paged"):
            page = telling.store_down_page(self.name, "", datetime.fromisoformat(str(entry["since"])))
            self.page(transaction, page, now, is_over=True)

    def page(self, transaction: Transaction, page: Page, now: datetime, *, is_over: bool = False) -> None:
        """Queue an alert for whoever is on call, once."""
        ends_at = now if is_over else None
        transaction.outbox.enqueue(telling.message(page, self.name, self.ladder, ends_at), now)

    def _moved(self, state: LadderState, step: StepRecord, now: datetime) -> LadderState:
        applied = plan.applied_after(state, step, now)
        counters = remembering.after_commit(self.ladder, state, step, now)
        told = {key: value for key, value in (state.told or {}).items() if key != STORE_DOWN}
        if not applied:
            counters.pop(KEPT, None)
        return replace(
            state,
            applied=applied, counters=counters, told=told, updated_at=now, store=step.store if applied else "",
        )  # fmt: skip

    def _tell_commit(self, transaction: Transaction, step: StepRecord, now: datetime) -> None:
        before, after = plan.sources(step), plan.targets(step)
        changed = {flag: (before[flag], after[flag]) for flag in after if before[flag] != after[flag]}
        transaction.events.append_all(telling.step_events(step, now, changed), now)
        self._audit(transaction, step, "committed", now)

    def _tell_end(self, transaction: Transaction, step: StepRecord, now: datetime) -> None:
        transaction.events.append(telling.failed_event(step, now), now)
        self._audit(transaction, step, step.outcome.value if step.outcome else "", now)
        if step.outcome is StepOutcome.UNDONE:
            self.page(transaction, telling.failed_page(step), now)

    def _audit(self, transaction: Transaction, step: StepRecord, what: str, now: datetime) -> None:
        transaction.audit.append(
            at=now,
            actor=step.actor,
            action=f"ladder.step_{what}",
            subject=self.name,
            detail=telling.audited(step),
        )


def unmoved(name: str, now: datetime) -> LadderState:
    """A ladder that nothing is known of yet."""
    return LadderState(name, (), {}, now)


def kept(state: LadderState | None) -> Sequence[str]:
    """Flags that people want left alone."""
    found = state.counters.get(KEPT) if state else None
    return [str(each) for each in found] if isinstance(found, list) else []


def _fields(step: StepRecord) -> dict[str, object]:
    return {
        "ladder": step.ladder,
        "tier": step.to_tier,
        "from": step.from_tier,
        "cause": step.cause.value,
        "step": step.id,
    }
