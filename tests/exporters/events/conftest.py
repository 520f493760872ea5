"""A store in a fresh file."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite, migrated once: to be copied."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrate(f"sqlite:///{folder}/empty.db")
    return folder / "empty.db"


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[SqlStore]:
    """A copy of it."""
    shutil.copyfile(empty_database, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()
