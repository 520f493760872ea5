"""Usage: how many events a second are accepted durably, in batches with duplicates, from JSON to the commit.

The peer is a plain `executemany` of the same values into a table with the same key, in the same run on the same file or
server: no parsing, no checking, no totals. A machine that is shared is told by what the peer takes.
"""

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg

from benchmarks.postgresql import postgresql
from benchmarks.report import Figure, progress, show
from controlplane.model.usage import Aggregation
from controlplane.store import migrate, open_store
from exporters.usage.closing import Closer
from exporters.usage.deliveries import from_body
from exporters.usage.intake import Intake
from exporters.usage.measuring import Measurer
from exporters.usage.terms import Meter, UsageTerms

_BATCHES: Final = 30
_BATCH: Final = 10_000
_DUPLICATES: Final = 0.1
_TENANTS: Final = 40
_LIMIT: Final = 20_000
_SEED: Final = 1
_NOW: Final = datetime(2026, 11, 20, tzinfo=UTC)
_TERMS: Final = UsageTerms(
    (
        Meter("input", "ai.completed", Aggregation.SUM, "token", ("tokens", "in"), dimensions=(("model", ("model",)),)),
        Meter("output", "ai.completed", Aggregation.SUM, "token", ("tokens", "out")),
    )
)
_COLUMNS: Final = "tenant, source, id, time, quantity"
_Row = tuple[str, str, str, str, str]


def run() -> None:
    """Measure and print."""
    bodies = list(_bodies())
    progress(f"{_BATCHES} batches of {_BATCH:,} events, {sum(map(len, bodies)) / 2**20:.0f} MiB")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        figures += _on_sqlite(bodies, Path(name))
    with postgresql() as url:
        figures += _on_postgresql(bodies, url)
    show("Usage: events accepted durably", figures)


def _bodies() -> Iterator[bytes]:
    """Batches of JSON; one event in ten was sent before, in this batch or an earlier one."""
    chance = random.Random(_SEED)
    sent: list[dict[str, Any]] = []
    for _ in range(_BATCHES):
        batch = []
        for _ in range(_BATCH):
            if sent and chance.random() < _DUPLICATES:
                batch.append(sent[chance.randrange(len(sent))])
                continue
            sent.append(_event(len(sent), chance))
            batch.append(sent[-1])
        yield orjson.dumps(batch)


def _event(number: int, chance: random.Random) -> dict[str, Any]:
    at = _NOW - timedelta(seconds=chance.randrange(36 * 3600))
    return {
        "specversion": "1.0",
        "id": f"{chance.getrandbits(128):032x}",
        "source": f"urn:intelgraph:gateway:{number % 3}",
        "type": "ai.completed",
        "subject": f"tenant-{chance.randrange(_TENANTS)}",
        "time": at.isoformat(),
        "data": {
            "model": f"model-{number % 4}",
            "tokens": {"in": chance.randrange(4000), "out": str(Decimal(chance.randrange(900_000)) / 1000)},
        },
    }


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds by the clock and of this process's processor."""

    wall: float
    processor: float


def _took(work: Callable[[], None]) -> _Took:
    wall, processor = time.monotonic(), time.process_time()
    work()
    return _Took(time.monotonic() - wall, time.process_time() - processor)


def _on_sqlite(bodies: list[bytes], folder: Path) -> list[Figure]:
    ours = _ours(bodies, f"sqlite:///{folder}/usage.db")
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE plain (tenant TEXT, source TEXT, id TEXT, time TEXT, quantity TEXT, "
            "PRIMARY KEY (tenant, source, id)) WITHOUT ROWID"
        )

        def plain(rows: list[_Row]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

        return _figures("SQLite, synchronous=FULL", ours, _plain(bodies, plain))


def _on_postgresql(bodies: list[bytes], url: str) -> list[Figure]:
    ours = _ours(bodies, url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE plain (tenant TEXT, source TEXT, id TEXT, time TIMESTAMPTZ, quantity TEXT, "
            "PRIMARY KEY (tenant, source, id))"
        )
        connection.commit()

        def plain(rows: list[_Row]) -> None:
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO plain VALUES (%s, %s, %s, %s, %s)", rows)
            connection.commit()

        return _figures("PostgreSQL, fsync on", ours, _plain(bodies, plain))


def _ours(bodies: list[bytes], url: str) -> tuple[_Took, int, _Took]:
    """Time from the bodies to the last commit, how many were new, and the time of closing the month."""
    migrate(url)
    store = open_store(url)
    measurer, intake = Measurer(_TERMS), Intake(store)
    accepted = 0

    def take() -> None:
        nonlocal accepted
        for body in bodies:
            delivery = from_body(body, is_batch=True, measurer=measurer, now=_NOW)
            accepted += intake.take(delivery, _NOW).receipt.accepted

    took = _took(take)
    closed = _took(lambda: _close(store))
    store.close()
    return took, accepted, closed


def _close(store: Any) -> None:
    assert len(Closer(store, _TERMS).close("2026-11", _NOW).lines) == 2 * _TENANTS


def _plain(bodies: list[bytes], insert: Callable[[list[_Row]], None]) -> tuple[_Took, int]:
    """The same events, each once: a plain insert has no way with duplicates."""
    seen: set[str] = set()
    batches = []
    for body in bodies:
        rows = []
        for event in orjson.loads(body):
            if event["id"] not in seen:
                seen.add(event["id"])
                rows.append(
                    (event["subject"], event["source"], event["id"], event["time"], event["data"]["tokens"]["out"])
                )
        batches.append(rows)

    def insert_all() -> None:
        for rows in batches:
            insert(rows)

    return _took(insert_all), len(seen)


def _figures(where: str, ours: tuple[_Took, int, _Took], plain: tuple[_Took, int]) -> list[Figure]:
    took, accepted, closed = ours
    peer, rows = plain
    assert accepted == rows
    sent = _BATCHES * _BATCH
    load = f"{os.getloadavg()[0]:.0f} processes wanted the cores"
    return [
        Figure(f"{where}: events sent", sent / took.wall, "/s", _LIMIT, at_most=False, detail=load),
        Figure("… of them new", accepted / took.wall, "/s", detail=f"{accepted:,} of {sent:,}"),
        Figure("… by this process's processor time", sent / took.processor, "/s", _LIMIT, at_most=False),
        Figure("… time over that of a plain executemany of the same rows", took.wall / peer.wall, "×"),
        Figure("… plain executemany, rows", rows / peer.wall, "/s"),
        Figure("… closing the month: events recounted", accepted / closed.wall, "/s"),
    ]
