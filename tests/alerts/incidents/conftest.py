"""A bench over SQLite for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store
from tests.alerts.incidents.bench import Bench


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables and nothing in them, to copy."""
    path = tmp_path_factory.mktemp("incidents") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """A store over it."""
    path = tmp_path / "state.db"
    path.write_bytes(empty_database.read_bytes())
    opened = open_store(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: SqlStore) -> Bench:
    """Everything joined over it."""
    return Bench(store)
