"""Deliveries to measure with: a year of events that stand there already, events to send, sheets of 90 days."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, LiteralString

import numpy as np
import orjson
import psycopg

from controlplane import delivery_names as names
from controlplane.model.delivery import CounterRow, Deployment, DeploymentKind, Sheet, SheetKey
from controlplane.store.delivery_packing import pack as packed
from exporters.dora.sheets.columns import CHANGE, DEPLOYMENT, DaySheet, sorted_hashes
from exporters.dora.sheets.packing import pack

NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
SERVICES: Final = 1000
REPOSITORIES: Final = 500
DAYS: Final = 90
CHANGES_EACH: Final = 3  # of a deployment
_BUCKETS: Final = 24  # counter rows of a histogram
_SEED: Final = 1
_FIRST_STEP: Final = 500_000  # rows of a statement

# What is said here is made up; its lengths, its repositories and its ids are as those of real events.
_SQLITE_ROWS: Final = """
WITH RECURSIVE number(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM number WHERE i < ?),
made AS MATERIALIZED (
    SELECT i, randomblob(16) AS key, abs(random()) % 1000 AS service,
           printf('https://github.com/acme/repository-%03d', abs(random()) % 500) AS source FROM number
)
INSERT INTO delivery_events
    (key, received_at, source, id, type, subject, time, entity, sender, digest, trace_id, body)
SELECT key, '2025-12-01 00:00:00.000000', source, lower(hex(key)),
       iif(i % 4 < 3, 'dev.cdevents.change.merged.0.3.0', 'dev.cdevents.service.deployed.0.3.0'),
       iif(i % 4 < 3, cast(i / 500 AS TEXT), 'service-' || service),
       datetime(1764547200 + i * 3, 'unixepoch') || '.000000',
       iif(i % 4 < 3, 'change:' || substr(source, 9) || '#' || (i / 500),
           'deployment:' || source || '#' || lower(hex(key))),
       'github', randomblob(32), '', ?
FROM made
"""
_COUNTED: Final[LiteralString] = """
INSERT INTO delivery_event_counts (type, sender, outcome, events)
SELECT type, sender, 'accepted', count(*) FROM delivery_events GROUP BY type, sender
"""
_POSTGRESQL_ROWS: Final[LiteralString] = """
WITH made AS MATERIALIZED (
    SELECT i, md5(i::text) AS id, (random() * 999)::int AS service,
           'https://github.com/acme/repository-' || lpad((random() * 499)::int::text, 3, '0') AS source
    FROM generate_series(%s::bigint, %s::bigint) AS number (i)
)
INSERT INTO delivery_events
    (key, received_at, source, id, type, subject, time, entity, sender, digest, trace_id, body)
SELECT decode(id, 'hex'), '2025-12-01Z', source, id,
       CASE WHEN i %% 4 < 3 THEN 'dev.cdevents.change.merged.0.3.0' ELSE 'dev.cdevents.service.deployed.0.3.0' END,
       CASE WHEN i %% 4 < 3 THEN (i / 500)::text ELSE 'service-' || service END,
       '2025-12-01Z'::timestamptz + i * interval '3 seconds',
       CASE WHEN i %% 4 < 3 THEN 'change:' || substr(source, 9) || '#' || (i / 500)
            ELSE 'deployment:' || source || '#' || id END,
       'github', sha256(id::bytea), '', %s::bytea
FROM made ORDER BY i
"""


def fill_sqlite(file: Path, events: int) -> None:
    """Let so many events stand there, past all checks: indexes are made afterwards, as if restored from a dump."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        found = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'delivery_events' AND sql != ''"
        )
        indexes = connection.execute(found).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for first, last in _steps(events):
            connection.execute(_SQLITE_ROWS, (first, last, _stored_body()))
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute(_COUNTED)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill_postgresql(url: str, events: int) -> None:
    """The same there."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        found = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = 'delivery_events' AND indexname NOT LIKE 'pk%'"
        ).fetchall()
        for name, _ in found:
            connection.execute(psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(name)))
        for first, last in _steps(events):
            connection.execute(_POSTGRESQL_ROWS, (first, last, _stored_body()))
        for _, statement in found:
            connection.execute(psycopg.sql.SQL(statement))
        connection.execute(_COUNTED)
        connection.execute("VACUUM ANALYZE delivery_events")
        connection.execute("CHECKPOINT")


def _steps(events: int) -> Iterator[tuple[int, int]]:
    for first in range(0, events, _FIRST_STEP):
        yield first, min(first + _FIRST_STEP, events) - 1


def _stored_body() -> bytes:
    """One event as the store keeps it; of the others only the lengths count."""
    return packed(orjson.dumps(_event(0, random.Random(_SEED))))


def bodies(events: int, batch: int, *, repeated: float) -> Iterator[bytes]:
    """Batches of JSON of the last 30 days; a share of the events was sent before. Three changes to each deployment."""
    chance = random.Random(_SEED)
    sent: list[dict[str, Any]] = []
    made = 0
    while made < events:
        chosen = []
        for _ in range(min(batch, events - made)):
            if sent and chance.random() < repeated:
                chosen.append(sent[chance.randrange(len(sent))])
                continue
            sent.append(_event(len(sent), chance))
            chosen.append(sent[-1])
        made += len(chosen)
        yield orjson.dumps(chosen)


def _event(number: int, chance: random.Random) -> dict[str, Any]:
    turn, part = divmod(number, CHANGES_EACH + 1)
    repository = f"github.com/acme/repository-{turn * 7919 % REPOSITORIES:03d}"
    at = NOW - timedelta(seconds=chance.randrange(30 * 86_400))
    own: dict[str, Any]
    if part < CHANGES_EACH:
        kind, subject = "change.merged", f"{900_000 + number}"
        content: dict[str, Any] = {"repository": {"id": repository, "source": f"https://{repository}"}}
        own = {
            "revision": f"{chance.getrandbits(160):040x}",
            "title": f"Make the shop faster, part {number}",
            "firstCommitAt": (at - timedelta(seconds=chance.randrange(400_000))).isoformat(),
            "openedAt": (at - timedelta(hours=3)).isoformat(),
            "url": f"https://{repository}/pull/{number}",
        }
    else:
        kind, subject = "service.deployed", f"service-{turn * 7919 % SERVICES}"
        digest = f"{chance.getrandbits(256):064x}"
        content = {"environment": {"id": "production"}, "artifactId": f"pkg:oci/{subject}@sha256%3A{digest}"}
        own = {"version": f"v{number}", "changes": [f"{repository}#{900_000 + number - each}" for each in (1, 2, 3)]}
    type_, id_, source = f"dev.cdevents.{kind}.0.3.0", f"{chance.getrandbits(128):032x}", f"https://{repository}"
    context = {"specversion": "0.5.1", "id": id_, "source": source, "type": type_, "timestamp": at.isoformat()}
    data = {
        "context": context,
        "subject": {"id": subject, "source": source, "content": content},
        "customData": {"flyball": own},
        "customDataContentType": "application/json",
    }
    return {
        "specversion": "1.0", "id": id_, "source": source, "type": type_, "subject": subject, "time": at.isoformat(),
        "datacontenttype": "application/json", "data": data,
    }  # fmt: skip


def sheets(events: int) -> Iterator[Sheet]:
    """Days of all services to which so many events came down: one deployment of three changes for every four."""
    chance = np.random.default_rng(_SEED)
    each = max(events // (CHANGES_EACH + 1) // SERVICES // DAYS, 1)
    for service in range(SERVICES):
        for day in range(DAYS):
            key = SheetKey(f"service-{service}", "production", (NOW - timedelta(days=day + 1)).date())
            yield Sheet(key, pack(_sheet(chance, each)))


def _sheet(chance: np.random.Generator, count: int) -> DaySheet:
    deployments = np.zeros(count, DEPLOYMENT)
    deployments["second"] = np.sort(chance.integers(0, 86_400, count))
    failed = chance.random(count) < 0.1
    deployments["failure"] = failed
    deployments["rework"] = chance.random(count) < 0.05
    deployments["recovery"] = np.where(failed, chance.integers(60, 40_000, count), -1)
    changes = np.zeros(count * CHANGES_EACH, CHANGE)
    changes["second"] = np.repeat(deployments["second"], CHANGES_EACH)
    for column in CHANGE.names[1:] if CHANGE.names else ():
        changes[column] = chance.integers(60, 900_000, len(changes))
    counted = sorted_hashes(chance.integers(1, 2**63, count * (CHANGES_EACH + 1)).tolist())
    return DaySheet(deployments, changes, counted=counted)


def first_deployments() -> list[Deployment]:
    """One of every service, long ago."""
    at = NOW - timedelta(days=400)
    return [Deployment(f"/cd#{n}", f"service-{n}", "production", at, DeploymentKind.DEPLOYED) for n in range(SERVICES)]


def counters() -> list[CounterRow]:
    """Those of every service: what happened how often, and two histograms."""
    rows = []
    for number in range(SERVICES):
        service = (f"service-{number}", "production")
        rows += [CounterRow(names.DEPLOYMENTS, *service, "{}", Decimal(number + 1))]
        for name in (names.LEAD_TIME, names.RECOVERY_TIME):
            rows += [
                CounterRow(f"{name}_bucket", *service, f'{{"le":"{60 * 2**bucket}"}}', Decimal(bucket))
                for bucket in range(_BUCKETS)
            ]
    return rows


def days() -> tuple[date, date]:
    """The first and the last one that have sheets."""
    return (NOW - timedelta(days=DAYS)).date(), (NOW - timedelta(days=1)).date()
