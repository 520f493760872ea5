"""Usage events and what they add up to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, delete, literal, select, tuple_, update

from controlplane.model.event import JSON
from controlplane.model.usage import (
    Aggregation,
    AsideEvent,
    AsideReason,
    InvoiceLine,
    Outcome,
    Period,
    PeriodState,
    Reading,
    Receipt,
    Tally,
    UsageCounter,
    UsageEvent,
    UsageTotal,
)
from controlplane.ports import Permanent
from controlplane.store import usage_tables as tables
from controlplane.store.usage_folding import Sum
from controlplane.store.usage_intake import record
from controlplane.store.usage_lines import line_of, row_of
from controlplane.store.usage_sums import add_outcomes, read_counters, read_totals, shown_tenants, upsert
from controlplane.store.write_order import USAGE_LOCK, WriteOrder
from controlplane.usage_ports import EventKey

_ORDER: Final = list(PeriodState)
_TallyKey = tuple[str, str, str]


class SqlUsageLog:
    """Implements `controlplane.usage_ports.UsageLog`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._order = WriteOrder(connection, lock=USAGE_LOCK)

    def record(self, events: Sequence[UsageEvent], aside: Sequence[AsideEvent], now: datetime) -> Receipt:
        """Count what is new; see the port."""
        self._order.take()
        return record(self._connection, events, aside, now)

    def refuse(self, events: int) -> None:
        """Count events that were malformed."""
        self._order.take()
        add_outcomes(self._connection, {Outcome.REFUSED: events})

    def outcomes(self) -> Mapping[Outcome, int]:
        """How many events ever had which fate; every one is there."""
        counts = {row.outcome: row.events for row in self._connection.execute(select(tables.outcomes))}
        return {outcome: counts.get(outcome.value, 0) for outcome in Outcome}

    def set_aside(self, limit: int, after: AsideEvent | None = None) -> list[AsideEvent]:
        """Events kept without being counted."""
        columns = tables.aside.c
        key = (columns.tenant, columns.source, columns.id, columns.digest)
        query = select(tables.aside).order_by(*key).limit(limit)
        if after is not None:
            query = query.where(
                tuple_(*key) > tuple_(*(literal(value) for value in (*after.event.key, after.event.digest)))
            )
        return [_aside(row) for row in self._connection.execute(query)]

    def periods(self) -> list[Period]:
        """Every month that has had usage, in order."""
        query = select(tables.periods).order_by(tables.periods.c.period)
        return [
            Period(row.period, PeriodState(row.state), row.closed_at, row.controls)
            for row in self._connection.execute(query)
        ]

    def move(self, period: str, state: PeriodState, now: datetime) -> bool:
        """Open it, or move it on; never back."""
        self._order.take()
        current = self._state(period)
        if current is not None and _ORDER.index(current) >= _ORDER.index(state):
            return False
        upsert(self._connection, tables.periods, [{"period": period, "state": state.value, "moved_at": now}])
        return True

    def totals(self, *, booked: str = "", period: str = "", meters: Sequence[str] = ()) -> list[UsageTotal]:
        """Totals booked to a month, of a month, or of both."""
        return read_totals(self._connection, booked, period, meters)

    def recount(self, booked: str, after: EventKey | None, limit: int) -> tuple[list[Tally], EventKey | None]:
        """What the next events add up to, from the events themselves."""
        columns = tables.events.c
        key = tuple_(columns.tenant, columns.source, columns.id)
        names = (columns.tenant, columns.source, columns.id, columns.booked, columns.period, columns.readings)
        query = select(*names).order_by(columns.tenant, columns.source, columns.id).limit(limit)
        rows = self._connection.execute(query if after is None else query.where(key > after)).all()
        sums: dict[_TallyKey, Sum] = {}
        for row in rows:
            if row.booked == booked:
                for meter, aggregation, quantity, _ in orjson.loads(row.readings):
                    found = sums.setdefault((row.period, row.tenant, meter), Sum(Aggregation(aggregation)))
                    found.take(Decimal(quantity))
        if after is None:
            self._recount_aside(booked, sums)
        last = rows[-1] if len(rows) == limit else None
        return [_tally(each, sums[each]) for each in sorted(sums)], last and (last.tenant, last.source, last.id)

    def lines(self, booked: str = "", period: str = "") -> list[InvoiceLine]:
        """Invoice lines in their order."""
        columns = tables.lines.c
        query = select(tables.lines)
        query = query.where(columns.booked == booked) if booked else query
        query = query.where(columns.period == period) if period else query
        found = [line_of(row) for row in self._connection.execute(query)]
        return sorted(found, key=lambda line: (line.booked, line.kind.value, line.tenant, line.item, line.period))

    def close(self, period: str, lines: Sequence[InvoiceLine], controls: Mapping[str, JSON], now: datetime) -> bool:
        """Keep the lines and close it."""
        self._order.take()
        state = self._state(period)
        if state is PeriodState.CLOSED:
            return False
        if state is not PeriodState.CLOSING or any(line.booked != period for line in lines):
            raise Permanent(f"usage period {period} is not being closed, or a line belongs to another one")
        if lines:
            self._connection.execute(tables.lines.insert(), [row_of(line) for line in lines])
        closed = {"state": PeriodState.CLOSED.value, "moved_at": now, "closed_at": now, "controls": dict(controls)}
        self._connection.execute(update(tables.periods).where(tables.periods.c.period == period).values(closed))
        return True

    def counters(self) -> list[UsageCounter]:
        """What every tenant ever used."""
        return read_counters(self._connection)

    def shown(self) -> Mapping[str, bool]:
        """Whether a tenant's counters are shown alone."""
        return shown_tenants(self._connection)

    def show(self, tenants: Sequence[str]) -> None:
        """Show these alone from now on."""
        self._order.take()
        chosen = set(tenants)
        changed = [
            {"tenant": tenant, "shown": tenant in chosen}
            for tenant, shown in shown_tenants(self._connection).items()
            if shown is not (tenant in chosen)
        ]
        upsert(self._connection, tables.tenants, changed)

    def forget(self, before: str) -> int:
        """Drop events booked to closed months before this one."""
        self._order.take()
        closed = select(tables.periods.c.period).where(
            tables.periods.c.state == PeriodState.CLOSED.value, tables.periods.c.period < before
        )
        return self._connection.execute(delete(tables.events).where(tables.events.c.booked.in_(closed))).rowcount

    def _state(self, period: str) -> PeriodState | None:
        columns = tables.periods.c
        found = self._connection.scalar(select(columns.state).where(columns.period == period))
        return None if found is None else PeriodState(found)

    def _recount_aside(self, booked: str, sums: dict[_TallyKey, Sum]) -> None:
        columns = tables.aside.c
        query = select(columns.period, columns.tenant, columns.readings).where(columns.booked == booked)
        for row in self._connection.execute(query):
            for meter, aggregation, quantity, _ in orjson.loads(row.readings):
                found = sums.setdefault((row.period, row.tenant, meter), Sum(Aggregation(aggregation)))
                found.quarantine(Decimal(quantity))


def _tally(key: _TallyKey, found: Sum) -> Tally:
    return Tally(
        *key, found.aggregation, found.quantity, found.events, found.quarantined, found.quarantined_events
    )  # fmt: skip


def _aside(row: Row[Any]) -> AsideEvent:
    readings = tuple(
        Reading(meter, Aggregation(aggregation), Decimal(quantity), dimensions)
        for meter, aggregation, quantity, dimensions in orjson.loads(row.readings)
    )
    event = UsageEvent(
        row.tenant, row.source, row.id, row.time.astimezone(UTC), bytes(row.digest), readings, bytes(row.payload)
    )
    return AsideEvent(AsideReason(row.reason), event, row.received_at, row.seen)
