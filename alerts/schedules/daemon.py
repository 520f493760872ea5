"""Writes down who comes on call, when that changes: for timelines of incidents, and to look back."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.schedules.model import Schedule
from alerts.schedules.turns import HandOver, hand_overs, on_call
from controlplane.incident_names import EVENT_ON_CALL_CHANGED
from controlplane.model.event import Event
from controlplane.ports import HeldLease, Store, Transaction

log = logging.getLogger(__name__)
CURSOR: Final = "oncall:"  # before the schedule's name: up to when it was looked at, in seconds since 1970
_CAUGHT_UP: Final = timedelta(days=31)  # of what came to pass while nothing ran
_LOOKED_BACK: Final = timedelta(days=366)


class HandOvers:
    """Appends an event for each change of who is on call, once, whoever leads."""

    def __init__(self, store: Store, schedules: Callable[[], Sequence[Schedule]]) -> None:
        self._store = store
        self._schedules = schedules
        self._last: dict[str, str] = {}
        self._lease: HeldLease | None = None

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> tuple[Event, ...]:
        """What changed since the last run, in order of time; what the files changed counts from the last run on.

        Of a schedule that is new, who is on call is written once. Raises `LeaseLost` when another replica leads.
        """
        schedules = tuple(self._schedules())
        if not schedules:
            return ()
        with self._store.transaction(lease=lease) as transaction:
            if lease != self._lease or not self._last:  # another replica may have written since
                self._last = _last_known(transaction, now)
            last = dict(self._last)
            found = [event for each in schedules for event in _changes(transaction, each, last, now)]
            if found:
                transaction.events.append_all(found, now)
        self._last, self._lease = last, lease
        for event in found:
            log.info("alerts.on_call_changed", extra={"schedule": event.subject, "to": event.data["to"]})
        return tuple(found)


def _last_known(transaction: Transaction, now: datetime) -> dict[str, str]:
    recorded = transaction.events.between(now - _LOOKED_BACK, now + _CAUGHT_UP, (EVENT_ON_CALL_CHANGED,))
    return {each.event.subject: str(each.event.data["to"]) for each in recorded}


def _changes(transaction: Transaction, schedule: Schedule, last: dict[str, str], now: datetime) -> Iterator[Event]:
    cursor = transaction.incidents.cursor(f"{CURSOR}{schedule.name}")
    transaction.incidents.put_cursor(f"{CURSOR}{schedule.name}", int(now.timestamp()))
    since = datetime.fromtimestamp(cursor, UTC) if cursor else now
    since = max(min(since, now), now - _CAUGHT_UP)
    at_first = on_call(schedule, since)
    known = last.get(schedule.name)
    if known != at_first:  # new, or the files changed who it is
        yield _event(schedule, HandOver(since, known or "", at_first))
    for change in hand_overs(schedule, since, now):
        yield _event(schedule, change)
    last[schedule.name] = on_call(schedule, now)


def _event(schedule: Schedule, change: HandOver) -> Event:
    return Event(
        id=f"{EVENT_ON_CALL_CHANGED}:{schedule.name}:{change.at.isoformat()}:{change.after}",
        kind=EVENT_ON_CALL_CHANGED,
        subject=schedule.name,
        occurred_at=change.at,
        data={"from": change.before, "to": change.after},
    )
