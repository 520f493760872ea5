"""Delivery events: each kept once, in the order in which they came."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, select, union_all

from controlplane.collection import collection_paused
from controlplane.model.delivery import DeliveryEvent, EventQuery, EventReceipt, StoredDeliveryEvent
from controlplane.store import delivery_tables as tables
from controlplane.store.batches import among, batches
from controlplane.store.delivery_rows import (
    EVENTS,
    aware,
    event_key,
    event_of,
    event_row,
    storable,
    stored_event_of,
)
from controlplane.store.keyed_rows import KeyedRows
from controlplane.store.write_order import WriteOrder

_TYPES: Final = 200  # counted by their names
_OTHER: Final = "other"
_KINDS: Final = 50  # looked for one by one
_ACCEPTED, _UNKNOWN, _DUPLICATE, _CONFLICT, _REFUSED = "accepted", "unknown", "duplicate", "conflict", "refused"
_COUNTS: Final = KeyedRows(
    "delivery_event_counts", {"type": "text", "sender": "text", "outcome": "text"}, {"events": "bigint"}
)
_CountKey = tuple[str, str, str]  # type, sender, outcome


@dataclass(slots=True)
class _Sorted:
    """What became of the events of a batch."""

    new: dict[bytes, DeliveryEvent] = field(default_factory=dict)
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    duplicates: int = 0
    counts: Counter[_CountKey] = field(default_factory=Counter)


class SqlDeliveryEvents:
    """The part of `controlplane.delivery_ports.DeliveryLog` that is about events."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def take(self, events: Sequence[DeliveryEvent], received_at: datetime) -> EventReceipt:
        """Keep those that are new; see the port."""
        aware(received_at)
        self._order.take()
        if not events:
            return EventReceipt(0, 0, 0)
        with collection_paused():
            done = self._sort(events)
            rows = [event_row(event, key, received_at) for key, event in done.new.items()]
            EVENTS.insert(self._connection, rows)
            self._count(done.counts)
        unknown = sum(not event.is_known for event in done.new.values())
        return EventReceipt(len(done.new), done.duplicates, unknown, tuple(done.conflicts))

    def refuse(self, sender: str, events: int) -> None:
        """Count events that were malformed."""
        storable(sender)
        self._order.take()
        if events:
            self._count({("", sender, _REFUSED): events})

    def event_counts(self) -> Mapping[tuple[str, str, str], int]:
        """How many ever came, by (sender, type, outcome)."""
        columns = tables.event_counts.c
        found = self._connection.execute(select(columns.sender, columns.type, columns.outcome, columns.events))
        return {(sender, type_, outcome): events for sender, type_, outcome, events in found}

    def events_after(self, sequence: int, limit: int) -> list[StoredDeliveryEvent]:
        """Events with a larger sequence number, in order; none will appear later below the last of them."""
        columns = tables.events.c
        query = select(tables.events).where(columns.sequence > sequence).order_by(columns.sequence)
        return self._stored(query.limit(limit))

    def entities_after(self, sequence: int, limit: int) -> tuple[list[str], int]:
        """Entities, each once, of the next `limit` events, and the sequence number of the last of these events."""
        columns = tables.events.c
        query = select(columns.sequence, columns.entity).where(columns.sequence > sequence)
        found = self._connection.execute(query.order_by(columns.sequence).limit(limit)).all()
        entities = dict.fromkeys(row.entity for row in found if row.entity)
        return list(entities), found[-1].sequence if found else sequence

    def events_of(self, entities: Sequence[str]) -> dict[str, list[DeliveryEvent]]:
        """All events about these things, each list in the order of (time, source, id)."""
        found: dict[str, list[DeliveryEvent]] = {entity: [] for entity in entities if entity}
        query = select(tables.events)
        for batch in batches(list(found)):
            about = among(self._connection, tables.events.c.entity, batch)
            for row in self._connection.execute(query.where(about, tables.IS_KNOWN)).mappings():
                found[row["entity"]].append(event_of(row))
        for events in found.values():
            events.sort(key=lambda event: (event.time, event.source, event.id))
        return found

    def event(self, source: str, id_: str) -> StoredDeliveryEvent | None:
        """The one of that name."""
        found = self._stored(select(tables.events).where(tables.events.c.key == event_key(source, id_)))
        return found[0] if found else None

    def find_events(self, query: EventQuery) -> list[StoredDeliveryEvent]:
        """Newest first."""
        kinds = self._kinds(query)
        if kinds is None:
            return self._stored(_finding(query))
        each = [_finding(query, *kind).subquery() for kind in kinds]  # each by an index, in order
        joined = [select(part) for part in each]
        if not joined:
            return []
        together = union_all(*joined).subquery()
        return self._stored(select(together).order_by(together.c.sequence.desc()).limit(query.limit))

    def last_sequence(self) -> int:
        """The newest event's; 0 while there is none."""
        return self._connection.scalar(select(func.max(tables.events.c.sequence))) or 0

    def forget_events(self, before: datetime, limit: int) -> int:
        """Drop at most `limit` events that came before then, the oldest first; how many they were."""
        aware(before)
        self._order.take()
        columns = tables.events.c
        oldest = select(columns.sequence, columns.received_at).order_by(columns.sequence).limit(limit)
        rows = self._connection.execute(oldest).all()
        old = [row.sequence for row in takewhile(lambda row: row.received_at < before, rows)]
        if old:
            self._connection.execute(delete(tables.events).where(columns.sequence <= old[-1]))
        return len(old)

    def _sort(self, events: Sequence[DeliveryEvent]) -> _Sorted:
        keys = [event_key(event.source, event.id) for event in events]
        digests = self._known_digests(list(dict.fromkeys(keys)))
        done = _Sorted()
        for key, event in zip(keys, events, strict=True):
            known = digests.get(key)
            if known is None:
                digests[key] = event.digest
                done.new[key] = event
                outcome = _ACCEPTED if event.is_known else _UNKNOWN
            elif known == event.digest:
                done.duplicates += 1
                outcome = _DUPLICATE
            else:
                done.conflicts.append((event.source, event.id))
                outcome = _CONFLICT
            done.counts[event.type, event.sender, outcome] += 1
        return done

    def _known_digests(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        columns = tables.events.c
        found: dict[bytes, bytes] = {}
        for batch in batches(keys):
            query = select(columns.key, columns.digest).where(columns.key.in_(batch))
            found |= {bytes(key): bytes(digest) for key, digest in self._connection.execute(query)}
        return found

    def _count(self, counts: Mapping[_CountKey, int]) -> None:
        named = self._named_types({type_ for type_, _, _ in counts})
        sums: Counter[_CountKey] = Counter()
        for (type_, sender, outcome), events in counts.items():
            sums[type_ if type_ in named else _OTHER, sender, outcome] += events
        for key, (before,) in _COUNTS.read(self._connection, list(sums), ("events",)):
            sums[key[0], key[1], key[2]] += before
        _COUNTS.upsert(self._connection, [(*key, events) for key, events in sums.items()])

    def _named_types(self, types: set[str]) -> set[str]:
        """Those that are counted by their names: the first ones that came."""
        columns = tables.event_counts.c
        named = {""}
        for batch in batches(sorted(types)):
            named.update(self._connection.scalars(select(columns.type).where(columns.type.in_(batch)).distinct()))
        new = sorted(types - named)
        if new:
            counted = select(func.count(columns.type.distinct())).where(columns.type.not_in(("", _OTHER)))
            named.update(new[: max(_TYPES - (self._connection.scalar(counted) or 0), 0)])
        return named

    def _kinds(self, query: EventQuery) -> list[tuple[str, str]] | None:
        """Which (type, sender) fit, to be looked for one by one; None where another way is better.

        Events of a rare type or sender would else be looked for among all the others.
        """
        if query.source or query.subject or query.entity or not (query.type_prefix or query.sender):
            return None
        columns = tables.event_counts.c
        known = select(columns.type, columns.sender).distinct().where(columns.type != "")
        known = known.where(columns.sender == query.sender) if query.sender else known
        found = [(type_, sender) for type_, sender in self._connection.execute(known)]
        if any(type_ == _OTHER for type_, _ in found):
            return None
        kinds = [kind for kind in found if kind[0].startswith(query.type_prefix)]
        return kinds if len(kinds) <= _KINDS else None

    def _stored(self, query: Select[Any]) -> list[StoredDeliveryEvent]:
        return [stored_event_of(row) for row in self._connection.execute(query).mappings()]


def _finding(query: EventQuery, type_: str = "", sender: str = "") -> Select[Any]:
    """The search; with `type_` and `sender` only of these."""
    columns = tables.events.c
    found = select(tables.events)
    for column, wanted in (
        (columns.source, query.source),
        (columns.subject, query.subject),
        (columns.entity, query.entity),
        (columns.sender, sender or query.sender),
        (columns.type, type_),
    ):
        found = found.where(column == wanted) if wanted else found
    if query.entity:
        found = found.where(tables.IS_KNOWN)
    if query.type_prefix and not type_:  # LIKE would take capitals for small letters on SQLite
        found = found.where(func.substr(columns.type, 1, len(query.type_prefix)) == query.type_prefix)
    if query.since is not None:
        found = found.where(columns.time >= query.since)
    if query.until is not None:
        found = found.where(columns.time < query.until)
    if query.only_unknown:
        found = found.where(tables.IS_UNKNOWN)
    if query.before_sequence is not None:
        found = found.where(columns.sequence < query.before_sequence)
    return found.order_by(columns.sequence.desc()).limit(query.limit)
