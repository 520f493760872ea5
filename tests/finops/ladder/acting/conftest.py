"""A world with flags in memory and a database on disk."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store
from controlplane.store.tables import metadata
from finops.flags.adapters.memory import MemoryClient, MemoryFlags
from tests.finops.ladder.acting.world import NORMAL, SimulatedClock, World


@pytest.fixture(scope="session")
def database_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables."""
    path = tmp_path_factory.mktemp("acting") / "state.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def shared(database_path: Path) -> Iterator[SqlStore]:
    """A store that has put its statements together once: that is half of the work of a test."""
    store = open_store(f"sqlite:///{database_path}")
    yield store
    store.close()


@pytest.fixture
def database(shared: SqlStore, database_path: Path) -> SqlStore:
    """The same store, empty."""
    connection = sqlite3.connect(database_path)
    with connection:
        for table in metadata.tables:
            connection.execute(f"DELETE FROM {table}")
        connection.execute("INSERT INTO audit_head VALUES (1, 0, ?)", ("0" * 64,))
    connection.close()
    return shared


@pytest.fixture
def world(database: SqlStore) -> World:
    """A ladder at full service."""
    clock = SimulatedClock()
    flags = MemoryFlags(NORMAL, clock)
    return World(database, flags, MemoryClient(flags), clock)
