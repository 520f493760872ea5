"""Counting a batch of usage events: each once, under the order of writers, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

import orjson
from sqlalchemy import Connection, delete, func, select, tuple_, update

from controlplane.collection import collection_paused
from controlplane.model import exact
from controlplane.model.usage import (
    Aggregation,
    AsideEvent,
    AsideReason,
    Outcome,
    PeriodState,
    Receipt,
    UsageEvent,
)
from controlplane.store import usage_tables as tables
from controlplane.store.batches import batches
from controlplane.store.usage_folding import Folded
from controlplane.store.usage_rows import Row, insert_events, known_digests
from controlplane.store.usage_sums import add_counters, add_outcomes, add_totals
from controlplane.usage_ports import EventKey

_CODES: Final = {each: each.value for each in Aggregation}
_UNKNOWN: Final = (AsideReason.UNKNOWN_TYPE.value, AsideReason.UNKNOWN_TENANT.value)
_SHUT: Final = tuple(state.value for state in PeriodState if state.is_shut)


def record(connection: Connection, events: Sequence[UsageEvent], aside: Sequence[AsideEvent], now: datetime) -> Receipt:
    """See `controlplane.usage_ports.UsageLog.record`. The caller holds the right to write."""
    with collection_paused():
        return _Batch(connection, now).record(events, aside)


class _Batch:
    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._first_open = _first_open(connection)
        self._periods: dict[tuple[int, int], tuple[str, str]] = {}  # year, month → period, booked
        self._folded = Folded()

    def record(self, events: Sequence[UsageEvent], aside: Sequence[AsideEvent]) -> Receipt:
        first: dict[EventKey, UsageEvent] = {}
        for event in events:
            first.setdefault(event.key, event)
        known = known_digests(self._connection, list(first))
        new = [event for key, event in first.items() if key not in known]
        digests = {event.key: event.digest for event in new} | dict(known)
        conflicts = [event for event in events if digests[event.key] != event.digest]
        late = self._accept(new)
        kept = [AsideEvent(AsideReason.CONFLICT, event, self._now) for event in conflicts]
        self._set_aside([*kept, *aside])
        self._write()
        receipt = Receipt(
            accepted=len(new),
            duplicates=len(events) - len(new) - len(conflicts),
            conflicts=len(conflicts),
            unknown=len(aside),
            late=late,
        )
        add_outcomes(self._connection, _outcomes(receipt, aside))
        return receipt

    def _accept(self, new: Sequence[UsageEvent]) -> int:
        fresh = self._fresh_values(new)
        rows: list[Row] = []
        late = 0
        for index, event in enumerate(new):
            period, booked = self._booking(event.time)
            quantities = tuple(
                Decimal((index, place) in fresh) if reading.aggregation is Aggregation.UNIQUE else reading.quantity
                for place, reading in enumerate(event.readings)
            )
            late += booked != period
            self._folded.count(event, booked, period, quantities)
            rows.append((event, booked, period, _readings(event, quantities)))
        insert_events(self._connection, rows, self._now)
        self._no_longer_unknown(new)
        return late

    def _no_longer_unknown(self, new: Sequence[UsageEvent]) -> None:
        """Forget that they were set aside before somebody declared their type or tenant."""
        columns = tables.aside.c
        unknown = columns.reason.in_(_UNKNOWN)
        if not new or self._connection.scalar(select(columns.reason).where(unknown).limit(1)) is None:
            return
        name = tuple_(columns.tenant, columns.source, columns.id, columns.digest)
        for batch in batches(new):
            keys = [(*event.key, event.digest) for event in batch]
            self._connection.execute(delete(tables.aside).where(unknown, name.in_(keys)))

    def _booking(self, time: datetime) -> tuple[str, str]:
        month = (time.year, time.month)
        found = self._periods.get(month)
        if found is None:
            period = f"{time.year:04d}-{time.month:02d}"
            found = self._periods[month] = (period, max(period, self._first_open))
        return found

    def _fresh_values(self, new: Sequence[UsageEvent]) -> set[tuple[int, int]]:
        """Which readings (index of the event, place of the reading) bring a value that the month has not seen."""
        brought: dict[tuple[str, str, str, str], tuple[int, int]] = {}
        for index, event in enumerate(new):
            for place, reading in enumerate(event.readings):
                if reading.aggregation is Aggregation.UNIQUE:
                    period = self._booking(event.time)[0]
                    brought.setdefault((period, event.tenant, reading.meter, reading.value), (index, place))
        values = tables.values.c
        columns = tuple_(values.period, values.tenant, values.meter, values.value)
        for batch in batches(list(brought)):
            for seen in self._connection.execute(select(*columns.clauses).where(columns.in_(batch))):
                del brought[tuple(seen)]
        if brought:
            names = ("period", "tenant", "meter", "value")
            rows = [dict(zip(names, key, strict=True)) for key in brought]
            self._connection.execute(tables.values.insert(), rows)
        return set(brought.values())

    def _set_aside(self, events: Sequence[AsideEvent]) -> None:
        """Keep each once; a repeated one is only counted."""
        seen = Counter((each.event.key, each.event.digest) for each in events)
        first = {(each.event.key, each.event.digest): each for each in reversed(events)}
        columns = tables.aside.c
        name = tuple_(columns.tenant, columns.source, columns.id)
        for batch in batches(sorted({key for key, _ in first})):
            found = select(columns.tenant, columns.source, columns.id, columns.digest).where(name.in_(batch))
            for tenant, source, id_, digest in self._connection.execute(found).all():
                known = ((tenant, source, id_), bytes(digest))
                if known in first:
                    self._count_again(*known, seen[known])
                    del first[known]
        rows = []
        for key, each in first.items():
            period, booked = self._booking(each.event.time)
            self._folded.set_aside(each.event, booked, period)
            rows.append(_aside_row(replace(each, seen=seen[key]), booked, period))
        if rows:
            self._connection.execute(tables.aside.insert(), rows)

    def _count_again(self, key: EventKey, digest: bytes, times: int) -> None:
        columns = tables.aside.c
        tenant, source, id_ = key
        found = (columns.tenant == tenant) & (columns.source == source) & (columns.id == id_)
        again = update(tables.aside).where(found, columns.digest == digest).values(seen=columns.seen + times)
        self._connection.execute(again)

    def _write(self) -> None:
        add_totals(self._connection, self._folded.totals)
        add_counters(self._connection, self._folded.counters)
        self._open_periods()

    def _open_periods(self) -> None:
        wanted = {booked for _, booked in self._periods.values()}
        columns = tables.periods.c
        known = set(self._connection.scalars(select(columns.period).where(columns.period.in_(sorted(wanted)))))
        rows = [
            {"period": name, "state": PeriodState.OPEN.value, "moved_at": self._now} for name in sorted(wanted - known)
        ]
        if rows:
            self._connection.execute(tables.periods.insert(), rows)


def _first_open(connection: Connection) -> str:
    """The month after the last one that is shut: nothing before it may change. Empty while none is."""
    columns = tables.periods.c
    last = connection.scalar(select(func.max(columns.period)).where(columns.state.in_(_SHUT)))
    return month_after(last) if last else ""


def month_after(period: str) -> str:
    """The next month's name."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def _readings(event: UsageEvent, quantities: Iterable[Decimal]) -> str:
    return orjson.dumps(
        [
            (reading.meter, _CODES[reading.aggregation], exact.plain(quantity), reading.dimensions)
            for reading, quantity in zip(event.readings, quantities, strict=True)
        ]
    ).decode()


def _aside_row(kept: AsideEvent, booked: str, period: str) -> dict[str, object]:
    event = kept.event
    return {
        "tenant": event.tenant,
        "source": event.source,
        "id": event.id,
        "digest": event.digest,
        "reason": kept.reason.value,
        "booked": booked,
        "period": period,
        "time": event.time,
        "received_at": kept.received_at,
        "readings": _readings(event, (reading.quantity for reading in event.readings)),
        "payload": event.payload,
        "seen": kept.seen,
    }


def _outcomes(receipt: Receipt, aside: Sequence[AsideEvent]) -> dict[Outcome, int]:
    counts = {
        Outcome.ACCEPTED: receipt.accepted,
        Outcome.DUPLICATE: receipt.duplicates,
        Outcome.CONFLICT: receipt.conflicts,
    }
    reasons = sorted(each.reason.value for each in aside)
    return counts | {Outcome(reason): len(list(same)) for reason, same in groupby(reasons)}
