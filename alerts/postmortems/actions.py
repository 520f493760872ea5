"""What shall be done so that an incident does not happen again: who, until when, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from alerts.incidents.desk import Refused, UnknownIncident
from alerts.incidents.writing import bounded
from controlplane import incident_names as names
from controlplane.model.event import JSON, Event
from controlplane.model.follow_up import Action, ActionState
from controlplane.model.incident import TimelineEntry, TimelineKind
from controlplane.ports import HeldLease, Store, Transaction

MOST_ACTIONS: Final = 100  # of one incident
LONGEST_TITLE: Final = 200
LONGEST_NAME: Final = 100
LONGEST_WHY: Final = 1000
_FURTHEST: Final = date(2100, 1, 1)
_WORDS: Final = {ActionState.DONE: "done", ActionState.DROPPED: "dropped", ActionState.OPEN: "open again"}


class UnknownAction(Exception):
    """There is no action of that id."""

    def __init__(self, action: str) -> None:
        super().__init__(f"there is no action {action[:LONGEST_NAME]!r}: flyball actions list shows those there are")


class ActionDesk:
    """Changes actions, each in a transaction of its own, with a line in the incident's timeline and the audit log.

    `ids` makes ids that nobody used before. Everything raises `UnknownIncident` or `UnknownAction`, `Refused` for words
    that cannot be kept, and what the store raises.
    """

    def __init__(self, store: Store, ids: Callable[[], str]) -> None:
        self._store = store
        self._ids = ids

    def add(self, incident: str, title: str, *, owner: str, due: date, by: str, now: datetime) -> Action:
        """A new one; the incident may be over or not. `incident` is an id or a name such as INC-7."""
        title, owner = _words(title, "what shall be done", LONGEST_TITLE), _words(owner, "who does it")
        by, due = _words(by, "who adds it"), _day(due)
        with self._store.transaction() as transaction:
            transaction.incidents.lock()
            found = transaction.incidents.incident(incident)
            if found is None:
                raise UnknownIncident(incident)
            if len(transaction.follow_up.actions(found.id)) >= MOST_ACTIONS:
                raise Refused(f"{found.name} has {MOST_ACTIONS} actions already")
            action = Action(self._ids(), found.id, title, owner, due, now, by)
            text = f"{owner} is to do until {due.isoformat()}: {title}"
            _write(transaction, action, "added", text, by=by, now=now)
            return action

    def change(
        self, action: str, *, by: str, now: datetime, title: str = "", owner: str = "", due: date | None = None
    ) -> Action:
        """Other words, another owner or another day; what is left out stays. A new day is one to be reported again."""
        by = _words(by, "who changes it")
        with self._store.transaction() as transaction:
            transaction.incidents.lock()
            was = _found(transaction, action)
            is_now = replace(
                was,
                title=_words(title, "what shall be done", LONGEST_TITLE) if title else was.title,
                owner=_words(owner, "who does it") if owner else was.owner,
                due=_day(due) if due else was.due,
                reported_at=None if due and due != was.due else was.reported_at,
            )
            if is_now == was:
                return was
            text = f"{is_now.owner} is to do until {is_now.due.isoformat()}: {is_now.title}"
            _write(transaction, is_now, "changed", text, by=by, now=now)
            return is_now

    def end(self, action: str, state: ActionState, *, by: str, why: str, now: datetime) -> Action:
        """It is done, dropped, or open again. What is so already changes nothing."""
        by, why = _words(by, "who says so"), bounded(why, LONGEST_WHY)
        if state is ActionState.DROPPED and not why:
            raise Refused("say why it is dropped: whoever reads the postmortem asks")
        with self._store.transaction() as transaction:
            transaction.incidents.lock()
            return ended(transaction, _found(transaction, action), state, by=by, why=why, now=now)


def ended(transaction: Transaction, was: Action, state: ActionState, *, by: str, why: str, now: datetime) -> Action:
    """The same in a transaction that is under way."""
    if was.state is state:
        return was
    is_over = state is not ActionState.OPEN
    is_now = replace(
        was, state=state, ended_at=now if is_over else None, ended_by=by if is_over else "", why=why if is_over else ""
    )
    text = f"{by} says that it is {_WORDS[state]}: {was.title}{f' ({why})' if why else ''}"
    _write(transaction, is_now, state.value, text, by=by, now=now)
    return is_now


def report_overdue(store: Store, now: datetime, lease: HeldLease | None = None) -> tuple[Action, ...]:
    """Say once of each action that its day is over: an event, a line in the timeline. Those that were reported now.

    An action is overdue from the day (UTC) after the one that it is due.
    """
    today = today_of(now)
    with store.transaction(read_only=True) as transaction:
        found = transaction.follow_up.actions(only_open=True, due_before=today)
    late = [each.id for each in found if each.reported_at is None]
    if not late:
        return ()
    told: list[Action] = []
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        for id_ in late:
            action = transaction.follow_up.action(id_)
            if action is not None and action.reported_at is None and is_overdue(action, today):
                told.append(_report(transaction, action, now))
    return tuple(told)


def is_overdue(action: Action, today: date) -> bool:
    """Whether it is open and its day is over."""
    return action.state is ActionState.OPEN and action.due < today


def today_of(now: datetime) -> date:
    """The day in UTC."""
    return now.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class OverdueDaemon:
    """Reports actions whose day is over."""

    store: Store

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> tuple[str, ...]:
        """Ids of those that were reported. Raises what the store raises."""
        return tuple(each.id for each in report_overdue(self.store, now, lease))


def _report(transaction: Transaction, action: Action, now: datetime) -> Action:
    is_now = replace(action, reported_at=now)
    transaction.follow_up.put_action(is_now)
    id_ = f"{action.id}:{action.due.isoformat()}"
    text = f"overdue, was due on {action.due.isoformat()}: {action.title} ({action.owner})"
    transaction.incidents.note([_line(action, f"overdue:{id_}", text, "", now)], now)
    data: dict[str, JSON] = {
        "incident": action.incident, "title": action.title, "owner": action.owner, "due": action.due.isoformat(),
    }  # fmt: skip
    event = Event(f"{names.EVENT_ACTION_OVERDUE}:{id_}", names.EVENT_ACTION_OVERDUE, action.id, now, data)
    transaction.events.append(event, now)
    return is_now


def _write(transaction: Transaction, action: Action, what: str, text: str, *, by: str, now: datetime) -> None:
    transaction.follow_up.put_action(action)
    stamp = now.isoformat()
    transaction.incidents.note([_line(action, f"action:{action.id}:{what}:{stamp}", text, by, now)], now)
    transaction.audit.append(
        at=now, actor=by, action=f"action.{what}", subject=action.id,
        detail={
            "incident": action.incident, "title": action.title, "owner": action.owner, "due": action.due.isoformat(),
            "why": action.why,
        },
    )  # fmt: skip


def _line(action: Action, id_: str, text: str, by: str, now: datetime) -> TimelineEntry:
    data: dict[str, JSON] = {"action": action.id, "due": action.due.isoformat()}
    return TimelineEntry(id_, action.incident, now, TimelineKind.ACTION, text, by, data)


def _found(transaction: Transaction, action: str) -> Action:
    found = transaction.follow_up.action(action)
    if found is None:
        raise UnknownAction(action)
    return found


def _words(text: str, what: str, longest: int = LONGEST_NAME) -> str:
    said = " ".join(bounded(text, longest).split())
    if not said:
        raise Refused(f"say {what}")
    return said


def _day(due: date) -> date:
    if due >= _FURTHEST:
        raise Refused(f"{due.isoformat()} is too far away: who does it should live to see it")
    return due
