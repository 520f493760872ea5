"""An empty database with our tables: made once, copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.ports import Store
from controlplane.store import migrate, open_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody writes to it."""
    path = tmp_path_factory.mktemp("database") / "state.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """A store of one's own."""
    shutil.copy(empty_database, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()
