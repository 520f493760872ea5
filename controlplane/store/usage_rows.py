"""Many usage events in few statements, past SQLAlchemy's per-value work: a third of the time of an `insert()`.

Every value is bound; the statements are constants. What comes here was checked by the intake: no NUL, no surrogates.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson
from sqlalchemy import Connection

from controlplane.model.usage import UsageEvent
from controlplane.usage_ports import EventKey

_SQLITE_KNOWN: Final = """
SELECT e.tenant, e.source, e.id, e.digest FROM json_each(?) AS k CROSS JOIN usage_events AS e
ON e.tenant = json_extract(k.value, '$[0]') AND e.source = json_extract(k.value, '$[1]')
AND e.id = json_extract(k.value, '$[2]')
"""
_POSTGRESQL_KNOWN: Final = """
SELECT k.tenant, k.source, k.id, e.digest
FROM unnest(%s::text[], %s::text[], %s::text[]) AS k (tenant, source, id)
CROSS JOIN LATERAL (
  SELECT digest FROM usage_events AS u
  WHERE u.tenant = k.tenant AND u.source = k.source AND u.id = k.id OFFSET 0
) AS e
"""
_COLUMNS: Final = "tenant, source, id, digest, booked, period, time, received_at, readings"
_SQLITE_INSERT: Final = f"INSERT INTO usage_events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_POSTGRESQL_INSERT: Final = f"""
INSERT INTO usage_events ({_COLUMNS})
SELECT k.tenant, k.source, k.id, k.digest, k.booked, k.period, k.time, %s, k.readings
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
AS k (tenant, source, id, digest, booked, period, time, readings)
"""  # noqa: S608

Row = tuple[UsageEvent, str, str, str]  # the event, booked, period, readings


def known_digests(connection: Connection, keys: Sequence[EventKey]) -> dict[EventKey, bytes]:
    """The digests of those events that are stored."""
    if not keys:
        return {}
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(_SQLITE_KNOWN, (orjson.dumps(keys).decode(),))
    else:
        found = connection.exec_driver_sql(_POSTGRESQL_KNOWN, tuple(map(list, zip(*keys, strict=True))))
    return {(tenant, source, id_): bytes(digest) for tenant, source, id_, digest in found}


def insert_events(connection: Connection, rows: Sequence[Row], now: datetime) -> None:
    """Write events that are not stored yet."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        received = _sqlite_time(now)
        values = [
            (
                event.tenant,
                event.source,
                event.id,
                event.digest,
                booked,
                period,
                _sqlite_time(event.time),
                received,
                readings,
            )
            for event, booked, period, readings in rows
        ]
        connection.exec_driver_sql(_SQLITE_INSERT, values)
        return
    connection.exec_driver_sql(_POSTGRESQL_INSERT, (now, *map(list, zip(*_as_columns(rows), strict=True))))


def _as_columns(rows: Sequence[Row]) -> Iterable[tuple[str, str, str, bytes, str, str, datetime, str]]:
    for event, booked, period, readings in rows:
        yield event.tenant, event.source, event.id, event.digest, booked, period, event.time, readings


def _sqlite_time(at: datetime) -> str:
    """As SQLAlchemy writes a `DateTime`: UTC without saying so, microseconds always."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
