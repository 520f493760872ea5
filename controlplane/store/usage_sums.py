"""Totals, counters and outcomes: read, added to exactly in Python, written back. The caller holds the right to write.

Decimals are text in both databases: SQLite would sum them as floats.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Insert, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from controlplane.model import exact
from controlplane.model.usage import Aggregation, Outcome, UsageCounter, UsageTotal
from controlplane.store import usage_tables as tables
from controlplane.store.usage_folding import CounterKey, Sum, TotalKey
from controlplane.store.usage_rows import COUNTERS, TOTALS

_ADDED_TO: Final = ("quantity", "events", "quarantined", "quarantined_events")
_COUNTED: Final = ("quantity", "events", "trace_id", "traced", "traced_at")
OTHERS: Final = ""  # the tenant of those that are not shown alone


def add_totals(connection: Connection, sums: Mapping[TotalKey, Sum]) -> None:
    """Add them to what is there."""
    for key, (quantity, events, quarantined, aside) in TOTALS.read(connection, list(sums), _ADDED_TO):
        added = sums[key]
        added.take(Decimal(quantity), events)
        added.quarantined = exact.add(added.quarantined, Decimal(quarantined))
        added.quarantined_events += aside
    TOTALS.upsert(connection, [(*key, *_total_values(added)) for key, added in sums.items()])


def _total_values(added: Sum) -> tuple[str, str, int, str, int]:
    quantity, quarantined = exact.plain(added.quantity), exact.plain(added.quarantined)
    return added.aggregation.value, quantity, added.events, quarantined, added.quarantined_events


def add_counters(connection: Connection, sums: Mapping[CounterKey, Sum]) -> None:
    """Add them to what is there, and what tenants used that are not shown alone to that of the others."""
    alone = shown_tenants(connection)
    tenants = sorted({tenant for _, tenant in sums} - alone.keys())
    if tenants:
        connection.execute(tables.tenants.insert(), [{"tenant": tenant, "shown": False} for tenant in tenants])
    wanted = dict(sums)
    for (meter, tenant), added in sums.items():
        if not alone.get(tenant, False):
            others = wanted.setdefault((meter, OTHERS), Sum(added.aggregation))
            others.take(added.quantity, added.events)
            if added.trace_id:
                others.trace_id, others.traced, others.traced_at = added.trace_id, added.traced, added.traced_at
    for key, before in COUNTERS.read(connection, list(wanted), _COUNTED):
        _add_before(wanted[key], *before)
    COUNTERS.upsert(connection, [(*key, *_counter_values(added)) for key, added in wanted.items()])


def _add_before(added: Sum, quantity: str, events: int, trace_id: str, traced: str, traced_at: Any) -> None:
    added.take(Decimal(quantity), events)
    if not added.trace_id and trace_id:
        added.trace_id, added.traced = trace_id, Decimal(traced)
        added.traced_at = (
            datetime.fromisoformat(traced_at).replace(tzinfo=UTC) if isinstance(traced_at, str) else traced_at
        )  # SQLite's text, as the driver gives it


def _counter_values(added: Sum) -> tuple[Any, ...]:
    quantity, traced = exact.plain(added.quantity), exact.plain(added.traced)
    return added.aggregation.value, quantity, added.events, added.trace_id, traced, added.traced_at


def add_outcomes(connection: Connection, counts: Mapping[Outcome, int]) -> None:
    """Count events by what became of them."""
    named = {outcome.value: count for outcome, count in counts.items() if count}
    columns = tables.outcomes.c
    stored = {row.outcome: row.events for row in connection.execute(select(columns.outcome, columns.events))}
    rows = [{"outcome": name, "events": stored.get(name, 0) + count} for name, count in sorted(named.items())]
    upsert(connection, tables.outcomes, rows)


def shown_tenants(connection: Connection) -> dict[str, bool]:
    """Every tenant that ever used something, and whether its counters are shown alone."""
    columns = tables.tenants.c
    return {row.tenant: row.shown for row in connection.execute(select(columns.tenant, columns.shown))}


def read_totals(connection: Connection, booked: str, period: str, meters: Sequence[str]) -> list[UsageTotal]:
    """Totals booked to or of a month, sorted by their key."""
    columns = tables.totals.c
    query = select(tables.totals)
    query = query.where(columns.booked == booked) if booked else query
    query = query.where(columns.period == period) if period else query
    query = query.where(columns.meter.in_(meters)) if meters else query
    found = [
        UsageTotal(
            booked=row.booked,
            period=row.period,
            day=row.day,
            tenant=row.tenant,
            meter=row.meter,
            aggregation=Aggregation(row.aggregation),
            dimensions=row.dimensions,
            quantity=Decimal(row.quantity),
            events=row.events,
            quarantined=Decimal(row.quarantined),
            quarantined_events=row.quarantined_events,
        )
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.booked, one.period, one.day, one.tenant, one.meter, one.dimensions))


def read_counters(connection: Connection) -> list[UsageCounter]:
    """Every counter, sorted by meter and tenant."""
    found = [
        UsageCounter(
            tenant=row.tenant,
            meter=row.meter,
            aggregation=Aggregation(row.aggregation),
            quantity=Decimal(row.quantity),
            events=row.events,
            trace_id=row.trace_id,
            traced=Decimal(row.traced),
            traced_at=row.traced_at,
        )
        for row in connection.execute(select(tables.counters))
    ]
    return sorted(found, key=lambda one: (one.meter, one.tenant))


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows whose key may be there: they replace what stands under it."""
    if rows:
        connection.execute(_upserting(table, connection.dialect.name, tuple(rows[0])), list(rows))


@cache
def _upserting(table: Table, dialect: str, names: tuple[str, ...]) -> Insert:
    """The statement, kept: to put it together anew takes longer than to run it."""
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
