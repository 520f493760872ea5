"""The databases on which the store's suite runs: SQLite in a file, PostgreSQL on a server of our own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import SqlStore, migrate, open_store

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """The URL of a database with our tables."""
    migrate(database_url)
    return database_url


@pytest.fixture
def store(migrated_url: str) -> Iterator[SqlStore]:
    """A store over it."""
    opened = open_store(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
def other(migrated_url: str) -> Iterator[SqlStore]:
    """The store of another replica: the same database, connections of its own."""
    opened = open_store(migrated_url)
    yield opened
    opened.close()
