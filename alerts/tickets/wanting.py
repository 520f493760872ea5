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
from controlplane.model.event import JSON, Event, RecordedEvent
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
        with store.transaction(read_only=True) as transaction:
            if not _page(transaction):
                break
        with store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            page, is_over = _page(transaction), _over(transaction)
            for recorded in page:
                written += _take(transaction, recorded.event, tracker, is_over, now, console_url)
            if page:
                transaction.incidents.put_cursor(CURSOR, page[-1].sequence)
    return written


def from_actions(
    store: Store, trackers: Sequence[Tracker], now: datetime, lease: HeldLease | None, *, console_url: str
) -> int:
    """Tickets of actions as they are now; how many were written. Those that ended before they had one get none."""
    tracker = taking(trackers, ACTIONS)
    with store.transaction(read_only=True) as transaction:
        comparing = _Comparing(transaction, tracker, console_url)
        late = [each for each in comparing.actions() if comparing.differs(each)]
    if not late:
        return 0
    written = 0
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        comparing = _Comparing(transaction, tracker, console_url)
        for action in late:
            newest = transaction.follow_up.action(action.id)
            if newest is not None and comparing.differs(newest):
                written += _put(transaction, comparing.wanted(newest), tracker, now, newest.incident)
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


def _page(transaction: Transaction) -> list[RecordedEvent]:
    return transaction.events.after(transaction.incidents.cursor(CURSOR), _PAGE, _KINDS)


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


class _Comparing:
    """Actions and their tickets in one transaction; what several of them have in common is read once."""

    def __init__(self, transaction: Transaction, tracker: Tracker | None, console_url: str) -> None:
        self._transaction = transaction
        self._tracker = tracker
        self._console_url = console_url
        self._incidents: dict[str, tuple[Incident | None, Sequence[Incident]]] = {}
        self._tickets = {each.key: each for each in transaction.follow_up.tickets(only_open=True, limit=_MOST_OPEN)}

    def actions(self) -> list[Action]:
        """Those that are open, and those that have ended whose ticket is open."""
        found = {each.id: each for each in self._transaction.follow_up.actions(only_open=True)}
        for key in self._tickets:
            id_ = key.removeprefix(ACTION_PREFIX)
            if key.startswith(ACTION_PREFIX) and id_ not in found:
                ended_one = self._transaction.follow_up.action(id_)
                found |= {id_: ended_one} if ended_one is not None else {}
        return list(found.values())

    def differs(self, action: Action) -> bool:
        """Whether its ticket has to be opened, or to say something else than it does."""
        key = drafting.action_key(action.id)
        ticket = self._tickets.get(key) or self._transaction.follow_up.ticket(key)
        if ticket is None:
            return self._tracker is not None and action.state is ActionState.OPEN
        if ticket.data.get(GONE) is True:
            return False
        wanted = self.wanted(action)
        return (wanted.title, wanted.body, wanted.is_open) != (ticket.title, ticket.body, ticket.is_open)

    def wanted(self, action: Action) -> Wanted:
        """What its ticket should say."""
        incident, again = self._of(action.incident)
        return drafting.of_action(action, incident, page_url=page_url(self._console_url, action.incident), again=again)

    def _of(self, id_: str) -> tuple[Incident | None, Sequence[Incident]]:
        """The incident, and its latest repetitions."""
        if id_ not in self._incidents:
            incident = self._transaction.incidents.incident(id_)
            latest = self._transaction.incidents.of_key(incident.key, _MOST_REPETITIONS) if incident else []
            again = [each for each in latest if incident and each.opened_at > incident.opened_at]
            self._incidents[id_] = (incident, again)
        return self._incidents[id_]


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
