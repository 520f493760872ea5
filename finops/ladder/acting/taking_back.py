"""What people said about flags that they changed: theirs stay, or the ladder takes them back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.ladder import FlagValue, LadderOrder, LadderState
from controlplane.ports import Transaction
from finops.flags.model import FlagState, FlagWrite, WriteNote
from finops.flags.ports import Conflict
from finops.ladder.acting import plan
from finops.ladder.acting.act import YOUNG, Act, shown
from finops.ladder.acting.flag_calls import Stopped, StoreDown, StoreRefused
from finops.ladder.acting.hands import same
from finops.ladder.acting.journal import KEPT, Journal, kept, unmoved
from finops.ladder.acting.watching import silent

SEEN: Final = "seen"
"""In the progress of an order: what the flags were when it began. What people change after that is not overwritten."""


def keep_theirs(journal: Journal, order: LadderOrder, now: datetime) -> LadderOrder:
    """The ladder forgets the flags: it restores none of them, and leaves them alone until it is at full service."""
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.lock()
        state = transaction.ladders.state(journal.name) or unmoved(journal.name, now)
        flags = sorted(state.theirs or {})
        left: list[JSON] = [*sorted({*kept(state), *flags})]
        state = plan.without(state, flags)
        counters: dict[str, JSON] = {**state.counters, KEPT: left}
        transaction.ladders.put_state(replace(state, theirs=None, counters=counters, updated_at=now))
        result = f"left alone until full service: {', '.join(flags)}" if flags else "no flag was theirs any more"
        return close(journal, transaction, order, result, now, is_done_well=True)


def take_back(act: Act, order: LadderOrder, now: datetime) -> LadderOrder:
    """Flags of tiers in force get their values again; others may be written by the next step. May be repeated.

    What somebody changed after the order had begun stays, and the order fails.
    """
    journal = act.journal
    state = journal.state() or unmoved(journal.name, now)
    forced = plan.in_force(replace(state, theirs=None))
    wanted = {flag: forced[flag] for flag in state.theirs or {} if flag in forced}
    if order.begun_at is not None and now - order.begun_at > YOUNG:
        return fail(journal, order, "the flag store did not take it within 10 minutes", now)
    try:
        found = act.flags.read(wanted)
        order = _begun(journal, order, found, now)
        if again := _changed_again(order, wanted, found):
            return fail(journal, order, f"changed again since, and left alone: {', '.join(again)}", now)
        writes = [FlagWrite(found[flag], value) for flag, value in wanted.items() if not same(found[flag].value, value)]
        act.flags.write(writes, WriteNote(order.by, f"ladder {order.ladder}: {order.why}", f"{order.id}:do"))
        after = act.flags.read(wanted)
    except StoreDown as error:
        silent(act, str(error))
        return journal.order(order)
    except (Conflict, StoreRefused, Stopped) as error:
        return fail(journal, journal.order(order), str(error), now)
    differ = [flag for flag, value in wanted.items() if not same(after[flag].value, value)]
    if differ:
        return fail(journal, order, f"does not hold what was written: {', '.join(differ)}", now)
    return _taken(journal, order, wanted, found, now)


def fail(journal: Journal, order: LadderOrder, why: str, now: datetime) -> LadderOrder:
    """The order ends, and was not carried out."""
    with journal.store.transaction(lease=journal.lease) as transaction:
        return close(journal, transaction, order, why, now, is_done_well=False)


def close(
    journal: Journal, transaction: Transaction, order: LadderOrder, result: str, now: datetime, *, is_done_well: bool
) -> LadderOrder:
    """The order ends in this transaction."""
    done = replace(order, begun_at=order.begun_at or now, done_at=now, is_done_well=is_done_well, result=result)
    transaction.ladders.put_order(done)
    detail: dict[str, JSON] = {"order": order.id, "kind": order.kind.value, "done": is_done_well, "result": result}
    transaction.audit.append(at=now, actor=order.by, action="ladder.order_done", subject=journal.name, detail=detail)
    return done


def _begun(journal: Journal, order: LadderOrder, found: Mapping[str, FlagState], now: datetime) -> LadderOrder:
    if order.progress is not None:
        return order
    seen: dict[str, JSON] = {flag: state.value for flag, state in found.items()}
    begun = replace(order, begun_at=now, progress={SEEN: seen})
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.put_order(begun)
        detail: dict[str, JSON] = {"order": order.id, "kind": order.kind.value, "found": seen}
        transaction.audit.append(
            at=now, actor=order.by, action="ladder.order_begun", subject=journal.name, detail=detail
        )
    return begun


def _changed_again(order: LadderOrder, wanted: Mapping[str, FlagValue], found: Mapping[str, FlagState]) -> list[str]:
    seen = (order.progress or {}).get(SEEN)
    before = seen if isinstance(seen, dict) else {}
    return [
        f"{flag} ({shown(found[flag].value)})"
        for flag, value in wanted.items()
        if not same(found[flag].value, value) and not same(found[flag].value, _plain(before.get(flag)))
    ]


def _taken(
    journal: Journal,
    order: LadderOrder,
    wanted: Mapping[str, FlagValue],
    found: Mapping[str, FlagState],
    now: datetime,
) -> LadderOrder:
    with journal.store.transaction(lease=journal.lease) as transaction:
        transaction.ladders.lock()
        state = transaction.ladders.state(journal.name) or unmoved(journal.name, now)
        transaction.ladders.put_state(replace(state, theirs=None, updated_at=now))
        transaction.events.append_all(_events(state, order, wanted, found, now), now)
        told = ", ".join(f"{flag} ({shown(value)})" for flag, value in wanted.items())
        result = f"taken back: {told}" if told else "the ladder may write its flags again"
        return close(journal, transaction, order, result, now, is_done_well=True)


def _events(
    state: LadderState,
    order: LadderOrder,
    wanted: Mapping[str, FlagValue],
    found: Mapping[str, FlagState],
    now: datetime,
) -> list[Event]:
    """Of flags that really changed, as this turn saw them."""
    events = []
    for flag, value in wanted.items():
        data: dict[str, JSON] = {"to": value, "store": state.store, "ladder": state.ladder, "order": order.id}
        data["from"] = found[flag].value
        if not same(found[flag].value, value):
            id_ = f"{names.EVENT_FLAG_CHANGED}:{order.id}:{flag}"
            events.append(Event(id_, names.EVENT_FLAG_CHANGED, flag, now, data))
    return events


def _plain(value: JSON) -> FlagValue | None:
    return value if isinstance(value, bool | int | str) else None
