"""A store over a copy of an empty database, and daemons over it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with our tables and nothing in them."""
    path = tmp_path_factory.mktemp("scoring") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """A store over a copy of it."""
    shutil.copy(empty_database, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def other_store(empty_database: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """Another one, of which the first knows nothing."""
    shutil.copy(empty_database, tmp_path / "other.db")
    opened = open_store(f"sqlite:///{tmp_path}/other.db")
    yield opened
    opened.close()
