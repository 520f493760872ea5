"""Usage events, totals and counters as rows, by their keys. What comes here was checked: no NUL, no surrogates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from controlplane.model.usage import UsageEvent
from controlplane.store.keyed_rows import KeyedRows
from controlplane.usage_ports import EventKey

_EVENTS: Final = KeyedRows(
    "usage_events",
    {"tenant": "text", "source": "text", "id": "text"},
    {
        "digest": "bytea",
        "booked": "text",
        "period": "text",
        "time": "timestamptz",
        "received_at": "timestamptz",
        "readings": "text",
    },
)
TOTALS: Final = KeyedRows(
    "usage_totals",
    {"booked": "text", "period": "text", "day": "date", "tenant": "text", "meter": "text", "dimensions": "text"},
    {
        "aggregation": "text",
        "quantity": "text",
        "events": "bigint",
        "quarantined": "text",
        "quarantined_events": "bigint",
    },
)
COUNTERS: Final = KeyedRows(
    "usage_counters",
    {"meter": "text", "tenant": "text"},
    {
        "aggregation": "text",
        "quantity": "text",
        "events": "bigint",
        "trace_id": "text",
        "traced": "text",
        "traced_at": "timestamptz",
    },
)

Row = tuple[UsageEvent, str, str, str]  # the event, booked, period, readings


def known_digests(connection: Connection, keys: Sequence[EventKey]) -> Mapping[EventKey, bytes]:
    """The digests of those events that are stored."""
    found = _EVENTS.read(connection, keys, ("digest",))
    return {(tenant, source, id_): bytes(digest) for (tenant, source, id_), (digest,) in found}


def insert_events(connection: Connection, rows: Sequence[Row], now: datetime) -> None:
    """Write events that are not stored yet."""
    written = [
        (event.tenant, event.source, event.id, event.digest, booked, period, event.time, now, readings)
        for event, booked, period, readings in rows
    ]
    written.sort()  # in the order of the key's tree: each of its pages is met once
    _EVENTS.insert(connection, written)
