"""Which tickets there should be, and what they should say: written down beside what caused them, before any is opened.

Cost issues are read from the event log, once each, by a cursor; actions are compared with their tickets.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.snapshots import page_url
from alerts.postmortems.actions import ended
from alerts.tickets import drafting
from alerts.tickets.declared import ACTIONS, COST, taking
from alerts.tickets.drafting import ACTION_PREFIX, Wanted
from alerts.tickets.model import Tracker
from alerts.tickets.rows import GONE, INCIDENT, TOLD_OPEN, note, with_data
from alerts.told import alert_id
from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.follow_up import Action, ActionState, Ticket
from controlplane.model.incident import Incident
from controlplane.ports import HeldLease, Store, Transaction

CURSOR: Final = "tickets"
_PAGE: Final = 200
_MOST_PAGES: Final = 50  # of a turn
_MOST_OPEN: Final = 10_000
OLDEST: Final = timedelta(days=7)  # older issues, of a log from before there were tickets, get none
_MOST_REPETITIONS: Final = 5
_KINDS: Final = (names.EVENT_COST_ISSUE, names.EVENT_ALERT_RESOLVED)


def from_events(
    store: Store, trackers: Sequence[Tracker], now: datetime, lease: HeldLease | None, *, console_url: str
) -> int:
    """Tickets for cost issues that happened since, and causes for those whose alert ended; how many were written.

    The cursor moves in the same transaction. Without a tracker that takes them, issues are passed over.
    """
    tracker, written = taking(trackers, COST), 0
    for _ in range(_MOST_PAGES):
        with store.transaction(lease=lease) as transaction:
            page = transaction.events.after(transaction.incidents.cursor(CURSOR), _PAGE, _KINDS)
            is_over = _over(transaction)
            for recorded in page:
                written += _take(transaction, recorded.event, tracker, is_over, now, console_url)
            if page:
                transaction.incidents.put_cursor(CURSOR, page[-1].sequence)
        if len(page) < _PAGE:
            break
    return written


def from_actions(
    store: Store, trackers: Sequence[Tracker], now: datetime, lease: HeldLease | None, *, console_url: str
) -> int:
    """Tickets of actions as they are now; how many were written. Those that ended before they had one get none."""
    tracker = taking(trackers, ACTIONS)
    with store.transaction(read_only=True) as transaction:
        actions = {each.id: each for each in transaction.follow_up.actions(only_open=True)}
        known = {each.key: each for each in transaction.follow_up.tickets(only_open=True, limit=_MOST_OPEN)}
        for key in known:
            id_ = key.removeprefix(ACTION_PREFIX)
            if key.startswith(ACTION_PREFIX) and id_ not in actions:
                found = transaction.follow_up.action(id_)
                actions |= {id_: found} if found is not None else {}
        late = [each for each in actions.values() if _differs(transaction, each, tracker, console_url)]
    if not late:
        return 0
    written = 0
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        for action in late:
            newest = transaction.follow_up.action(action.id)
            if newest is not None and _differs(transaction, newest, tracker, console_url):
                written += _put(transaction, _of(transaction, newest, console_url), tracker, now, newest.incident)
    return written


def closed_outside(store: Store, ticket: Ticket, now: datetime, lease: HeldLease | None) -> None:
    """People closed it in the tracker: it stays so, and an action is done by that."""
    cause = f"It was closed in the tracker {ticket.tracker}"
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        newest = transaction.follow_up.ticket(ticket.key)
        if newest is None or not newest.is_open or newest.wanted_version != ticket.wanted_version:
            return
        closed = replace(with_data(newest, {TOLD_OPEN: False}), is_open=False, cause=cause, updated_at=now)
        transaction.follow_up.put_ticket(closed)
        note(transaction, closed, "closed", now)
        action = _action_of(transaction, ticket)
        if action is not None:
            by = f"tracker {ticket.tracker}"
            ended(transaction, action, ActionState.DONE, by=by, why="its ticket was closed", now=now)


def deleted_outside(store: Store, ticket: Ticket, now: datetime, lease: HeldLease | None) -> None:
    """People deleted it in the tracker: nothing is told there any more. An action stays what it is."""
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        newest = transaction.follow_up.ticket(ticket.key)
        if newest is None:
            return
        cause = f"It is not in the tracker {ticket.tracker} any more"
        gone = replace(
            with_data(newest, {GONE: True}), is_open=False, cause=cause, updated_at=now,
            told_version=newest.wanted_version,
        )  # fmt: skip
        transaction.follow_up.put_ticket(gone)
        note(transaction, gone, "gone", now)


def close(store: Store, key: str, *, by: str, cause: str, now: datetime) -> Ticket | None:
    """A person closes it; None when there is none. One that is closed already stays as it is.

    An action is ended by itself, and its ticket by that: see `alerts.postmortems.actions`.
    """
    with store.transaction() as transaction:
        transaction.incidents.lock()
        ticket = transaction.follow_up.ticket(key)
        if ticket is None or not ticket.is_open:
            return ticket
        closed = _closed(ticket, f"{cause} ({by})" if cause else f"{by} closed it", now)
        transaction.follow_up.put_ticket(closed)
        transaction.audit.append(at=now, actor=by, action="ticket.close", subject=key, detail={"cause": cause})
        return closed


def _take(
    transaction: Transaction, event: Event, tracker: Tracker | None, is_over: Callable[[str], bool], now: datetime,
    console_url: str,
) -> int:  # fmt: skip
    if event.kind == names.EVENT_ALERT_RESOLVED:
        ticket = transaction.follow_up.ticket(drafting.cost_key_of_alert(event))
        if ticket is None or not ticket.is_open:
            return 0
        transaction.follow_up.put_ticket(_closed(ticket, drafting.resolved_cause(event), now))
        return 1
    if tracker is None or now - event.occurred_at > OLDEST:
        return 0
    wanted = drafting.of_cost_issue(event, console_url=console_url)
    about = event.data.get("about")
    fired = about.get("fired") if isinstance(about, dict) else None
    if isinstance(fired, str) and is_over(fired):  # it ended before its issue was written
        cause = "The alert had ended before this ticket was opened"
        wanted = replace(wanted, is_open=False, cause=cause, body=drafting.with_cause(wanted.body, cause))
    return _put(transaction, wanted, tracker, now, "") if transaction.follow_up.ticket(wanted.key) is None else 0


def _over(transaction: Transaction) -> Callable[[str], bool]:
    """Whether the alert that fired with this event fires no more; asked only where there is a cost issue."""
    firing: set[str] | None = None

    def is_over(fired: str) -> bool:
        nonlocal firing
        if firing is None:
            firing = {f"{names.EVENT_ALERT_FIRED}:{alert_id(each.alert)}" for each in transaction.alerts.firing()}
        return fired not in firing

    return is_over


def _differs(transaction: Transaction, action: Action, tracker: Tracker | None, console_url: str) -> bool:
    ticket = transaction.follow_up.ticket(drafting.action_key(action.id))
    if ticket is None:
        return tracker is not None and action.state is ActionState.OPEN
    if ticket.data.get(GONE) is True:
        return False
    wanted = _of(transaction, action, console_url)
    return (wanted.title, wanted.body, wanted.is_open) != (ticket.title, ticket.body, ticket.is_open)


def _of(transaction: Transaction, action: Action, console_url: str) -> Wanted:
    incident = transaction.incidents.incident(action.incident)
    again = _repetitions(transaction, incident) if incident is not None else []
    return drafting.of_action(action, incident, page_url=page_url(console_url, action.incident), again=again)


def _repetitions(transaction: Transaction, incident: Incident) -> list[Incident]:
    """The latest ones after it."""
    latest = transaction.incidents.of_key(incident.key, _MOST_REPETITIONS)
    return [each for each in latest if each.opened_at > incident.opened_at]


def _put(transaction: Transaction, wanted: Wanted, tracker: Tracker | None, now: datetime, incident: str) -> int:
    was = transaction.follow_up.ticket(wanted.key)
    if was is not None:
        changed = replace(
            was, title=wanted.title, body=wanted.body, is_open=wanted.is_open, cause=wanted.cause, updated_at=now,
            wanted_version=was.wanted_version + 1,
        )  # fmt: skip
        transaction.follow_up.put_ticket(changed)
        return 1
    if tracker is None:
        return 0
    data: dict[str, JSON] = {INCIDENT: incident} if incident else {}
    new = Ticket(
        key=wanted.key, tracker=tracker.name, title=wanted.title, body=wanted.body, labels=tracker.labels,
        created_at=now, updated_at=now, is_open=wanted.is_open, cause=wanted.cause, data=data,
    )  # fmt: skip
    transaction.follow_up.put_ticket(new)
    return 1


def _closed(ticket: Ticket, cause: str, now: datetime) -> Ticket:
    body = drafting.with_cause(ticket.body, cause)
    version = ticket.wanted_version + 1
    return replace(ticket, is_open=False, cause=cause, body=body, updated_at=now, wanted_version=version)


def _action_of(transaction: Transaction, ticket: Ticket) -> Action | None:
    if not ticket.key.startswith(ACTION_PREFIX):
        return None
    return transaction.follow_up.action(ticket.key.removeprefix(ACTION_PREFIX))
