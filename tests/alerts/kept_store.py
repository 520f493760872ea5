"""Stores of tests on SQLite files with our tables: made once per process, copied afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from controlplane.store import SqlStore, migrate, open_store

NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


@contextmanager
def kept_store(folder: Path) -> Iterator[SqlStore]:
    """A store with nothing in it, or with what an earlier one left in that folder."""
    file = folder / "state.db"
    if not file.exists():
        file.write_bytes(_empty())
    store = open_store(f"sqlite:///{file}")
    try:
        yield store
    finally:
        store.close()


class SetClock:
    """Tells the time that it was set to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def pass_(self, length: timedelta) -> datetime:
        self.at += length
        return self.at
