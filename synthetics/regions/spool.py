"""What a prober has not reported yet, in a file: a prober that is killed or cut off loses nothing, within bounds.

Results get numbers in the order in which they come. A report is a range of these, and a number of its own: what is
sent again is the same report. A result leaves the file when its report was taken.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.model.check import CheckResult
from controlplane.ports import Permanent, Transient
from synthetics.regions import limits
from synthetics.regions.report_writing import render_result

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
_BUSY_SECONDS: Final = 5.0
_MOST_PROBERS: Final = 1000  # whose numbers are remembered
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS results (id INTEGER PRIMARY KEY AUTOINCREMENT, started_at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    prober TEXT NOT NULL, sequence INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (prober, sequence)
);
CREATE TABLE IF NOT EXISTS aside (
    id INTEGER PRIMARY KEY AUTOINCREMENT, prober TEXT NOT NULL, sequence INTEGER NOT NULL, at TEXT NOT NULL,
    reason TEXT NOT NULL, results INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sequences (prober TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: beyond, the oldest is dropped and counted. `max_age` is shorter than what a report may hold."""

    max_results: int = 1_000_000
    max_age: timedelta = timedelta(hours=20)
    batch_results: int = 2000
    max_aside: int = 100  # reports


@dataclass(frozen=True, slots=True)
class Batch:
    """A numbered report that waits for its answer: results as rendered, oldest first."""

    prober: str
    sequence: int
    rendered: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SpoolFigures:
    """`waiting`: results not reported yet. `dropped` and `aside`: results ever lost to bounds, or refused."""

    waiting: int
    dropped: int
    aside: int


class Spool:
    """The buffer of one region's prober. Threads may share it, and processes the file. `path` None keeps it in memory.

    Raises `Transient` when the disk is full or the file is locked, `Permanent` when it is no spool of this region.
    """

    def __init__(self, path: Path | None, *, region: str, prober: str, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._prober = prober
        self._lock = threading.Lock()
        self._name = str(path) if path else "memory"
        self._lost = 0  # that could not even be counted on file
        with self._told():
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing
            self._connection.executescript(_SCHEMA)
            self._belong_to(region)
            self._waiting = self._number("SELECT count(*) FROM results")

    def put(self, result: CheckResult) -> None:
        """Keep a result until it is reported; it is on file when this returns. One that cannot be kept is counted."""
        fitted = limits.fitted(result)
        row = (fitted.started_at.timestamp(), render_result(fitted))
        try:
            self._put(row)
        except (Transient, Permanent) as error:  # the checks go on when the disk is full
            log.error("prober.result_not_kept", extra={"check": fitted.check, "error": str(error)})
            self._lost += 1

    def _put(self, row: tuple[float, bytes]) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT INTO results (started_at, body) VALUES (?, ?)", row)
            self._waiting += 1
            if self._waiting > self._bounds.max_results:
                self._drop(connection, "id IN (SELECT id FROM results ORDER BY id LIMIT ?)", self._one_in_a_hundred)

    def pending(self) -> list[Batch]:
        """Reports that have a number and no answer, in the order in which they got it."""
        with self._transaction() as connection:
            ranges = connection.execute("SELECT prober, sequence, first, last FROM batches ORDER BY rowid").fetchall()
            found = [(prober, sequence, self._bodies(connection, *span)) for prober, sequence, *span in ranges]
            for prober, sequence, bodies in found:
                if not bodies:  # dropped since
                    self._forget(connection, prober, sequence)
            return [Batch(prober, sequence, bodies) for prober, sequence, bodies in found if bodies]

    def cut_newest(self) -> Batch | None:
        """Give the newest results that no report holds a number; None when there are none."""
        return self._cut("id > (SELECT coalesce(max(last), 0) FROM batches)", "DESC")

    def cut_oldest(self) -> Batch | None:
        """Give the oldest results that no report holds a number; None when there are none."""
        return self._cut("id < (SELECT coalesce(min(first), 9e18) FROM batches)", "ASC")

    def next_sequence(self) -> int:
        """A number for a report without results, which nobody misses when it is lost."""
        with self._transaction() as connection:
            return self._next_sequence(connection)

    def settle(self, batch: Batch) -> None:
        """It was taken: forget its results."""
        with self._transaction() as connection:
            self._remove(connection, batch)

    def set_aside(self, batch: Batch, reason: str, now: datetime) -> None:
        """It was refused: keep it for somebody to look at, and send it no more."""
        body = b"[" + b",".join(batch.rendered) + b"]"
        row = (batch.prober, batch.sequence, now.isoformat(), reason, len(batch.rendered), body)
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO aside (prober, sequence, at, reason, results, body) VALUES (?, ?, ?, ?, ?, ?)", row
            )
            connection.execute(
                "DELETE FROM aside WHERE id <= (SELECT max(id) FROM aside) - ?", (self._bounds.max_aside,)
            )
            self._remove(connection, batch)
            self._add(connection, "aside", len(batch.rendered))

    def trim(self, now: datetime) -> int:
        """Drop results that are too old to be taken; how many."""
        before = (now - self._bounds.max_age).timestamp()
        with self._transaction() as connection:
            oldest = connection.execute("SELECT started_at FROM results ORDER BY id LIMIT 1").fetchone()
            if oldest is None or oldest[0] >= before:
                return 0
            return self._drop(connection, "started_at < ?", before)

    @property
    def waiting(self) -> int:
        """Results not reported yet."""
        return self._waiting

    def figures(self) -> SpoolFigures:
        """How much waits, and how much was lost."""
        with self._transaction() as connection:
            counts = dict(connection.execute("SELECT name, value FROM figures WHERE name IN ('dropped', 'aside')"))
        return SpoolFigures(self._waiting, int(counts.get("dropped", 0)) + self._lost, int(counts.get("aside", 0)))

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        with self._lock:
            self._connection.close()

    @property
    def _one_in_a_hundred(self) -> int:
        return max(1, self._bounds.max_results // 100)

    def _belong_to(self, region: str) -> None:
        self._connection.execute("INSERT OR IGNORE INTO figures VALUES ('region', ?)", (region,))
        found = self._connection.execute("SELECT value FROM figures WHERE name = 'region'").fetchone()[0]
        if found != region:
            raise Permanent(
                f"{self._name} holds results of region {found}, not of {region}: give each region a folder of its own"
            )

    def _cut(self, where: str, order: str) -> Batch | None:
        with self._transaction() as connection:
            query = f"SELECT id, length(body) FROM results WHERE {where} ORDER BY id {order} LIMIT ?"  # noqa: S608
            ids: list[int] = []
            total = 0
            for number, size in connection.execute(query, (self._bounds.batch_results,)):
                total += size
                if ids and total > MAX_BATCH_BYTES:
                    break
                ids.append(number)
            if not ids:
                self._waiting = connection.execute("SELECT count(*) FROM results").fetchone()[0]  # others may send, too
                return None
            sequence = self._next_sequence(connection)
            first, last = min(ids), max(ids)
            connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", (self._prober, sequence, first, last))
            return Batch(self._prober, sequence, self._bodies(connection, first, last))

    def _bodies(self, connection: sqlite3.Connection, first: int, last: int) -> tuple[bytes, ...]:
        query = "SELECT body FROM results WHERE id BETWEEN ? AND ? ORDER BY id"
        return tuple(bytes(body) for (body,) in connection.execute(query, (first, last)))

    def _next_sequence(self, connection: sqlite3.Connection) -> int:
        query = "INSERT INTO sequences VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last"
        number = int(connection.execute(query, (self._prober,)).fetchone()[0])
        if number == 1:  # numbers of probers long gone; those of one that lives must never begin anew
            last = "DELETE FROM sequences WHERE rowid <= (SELECT max(rowid) FROM sequences) - ?"
            connection.execute(last, (_MOST_PROBERS,))
        return number

    def _remove(self, connection: sqlite3.Connection, batch: Batch) -> None:
        connection.execute(
            "DELETE FROM results WHERE id BETWEEN (SELECT first FROM batches WHERE prober = ?1 AND sequence = ?2) "
            "AND (SELECT last FROM batches WHERE prober = ?1 AND sequence = ?2)",
            (batch.prober, batch.sequence),
        )
        self._waiting -= connection.execute("SELECT changes()").fetchone()[0]
        self._forget(connection, batch.prober, batch.sequence)

    def _forget(self, connection: sqlite3.Connection, prober: str, sequence: int) -> None:
        connection.execute("DELETE FROM batches WHERE prober = ? AND sequence = ?", (prober, sequence))

    def _drop(self, connection: sqlite3.Connection, where: str, bound: float) -> int:
        gone = connection.execute(f"DELETE FROM results WHERE {where}", (bound,)).rowcount  # noqa: S608
        self._waiting -= gone
        self._add(connection, "dropped", gone)
        return gone

    def _add(self, connection: sqlite3.Connection, name: str, count: int) -> None:
        connection.execute(
            "INSERT INTO figures VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", (name, count)
        )

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            waiting = self._waiting
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._waiting = waiting
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # a full disk, a lock
            raise Transient(f"{self._name}: {error}") from error
        except sqlite3.Error as error:
            raise Permanent(f"{self._name}: {error}; move it away to begin anew") from error
        except OSError as error:
            raise Permanent(f"{self._name}: {error.strerror}") from error
