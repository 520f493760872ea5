"""The append-only log through which features meet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, select

from controlplane.model.event import Event, RecordedEvent
from controlplane.store.batches import unseen
from controlplane.store.tables import events
from controlplane.store.write_order import WriteOrder


class SqlEventLog:
    """Implements `controlplane.ports.EventLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def append(self, event: Event, recorded_at: datetime) -> bool:
        """Write it; False when an event with this id is already there."""
        return bool(self.append_all([event], recorded_at))

    def append_all(self, new: Sequence[Event], recorded_at: datetime) -> int:
        """Write those whose ids are not there yet, in this order, in few statements; how many they were."""
        self._order.take()
        unknown = unseen(self._connection, events.c.id, new, lambda event: event.id)
        if unknown:
            self._connection.execute(events.insert(), [_row(event, recorded_at) for event in unknown])
        return len(unknown)

    def after(self, sequence: int, limit: int, kinds: Sequence[str] = ()) -> list[RecordedEvent]:
        """Events with a larger sequence number, in order; none will appear later below the last of them."""
        query = select(events).where(events.c.sequence > sequence).order_by(events.c.sequence).limit(limit)
        return self._read(query, kinds)

    def between(self, start: datetime, end: datetime, kinds: Sequence[str] = ()) -> list[RecordedEvent]:
        """Events that occurred in [start, end), in order of occurrence, then of recording."""
        query = select(events).where(events.c.occurred_at >= start, events.c.occurred_at < end)
        return self._read(query.order_by(events.c.occurred_at, events.c.sequence), kinds)

    def purge(self, before: datetime) -> int:
        """Forget events recorded before then, and with them that their ids were used; the number of them."""
        self._order.take()
        return self._connection.execute(delete(events).where(events.c.recorded_at < before)).rowcount

    def _read(self, query: Select[Any], kinds: Sequence[str]) -> list[RecordedEvent]:
        chosen = query.where(events.c.kind.in_(kinds)) if kinds else query
        return [_recorded(row) for row in self._connection.execute(chosen).mappings()]


def _row(event: Event, recorded_at: datetime) -> dict[str, Any]:
    return {
        "id": event.id,
        "kind": event.kind,
        "subject": event.subject,
        "occurred_at": event.occurred_at,
        "recorded_at": recorded_at,
        "data": event.data,
    }


def _recorded(row: RowMapping) -> RecordedEvent:
    event = Event(row["id"], row["kind"], row["subject"], row["occurred_at"], row["data"])
    return RecordedEvent(row["sequence"], row["recorded_at"], event)
