"""A world with flags in memory and a database on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store
from finops.flags.adapters.memory import MemoryClient, MemoryFlags
from tests.finops.ladder.acting.world import NORMAL, SimulatedClock, World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with our tables: making it once saves a second for each test."""
    path = tmp_path_factory.mktemp("empty") / "state.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def database(tmp_path: Path, empty_database: bytes) -> Iterator[SqlStore]:
    """A store of its own for each test."""
    path = tmp_path / "state.db"
    path.write_bytes(empty_database)
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def world(database: SqlStore) -> World:
    """A ladder at full service."""
    clock = SimulatedClock()
    flags = MemoryFlags(NORMAL, clock)
    return World(database, flags, MemoryClient(flags), clock)
