"""The databases on which the store's suite runs: SQLite in a file, PostgreSQL on a server of our own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from controlplane.store import SqlStore, migrate, open_store

BOTH = ["sqlite", "postgresql"]

# As TRUNCATE … RESTART IDENTITY of every table, which makes new files for each of them and takes half a second.
_EMPTY_AGAIN: LiteralString = """
DO $$
DECLARE named record;
BEGIN
    FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_revision' LOOP
        EXECUTE format('DELETE FROM %I', named.tablename);
    END LOOP;
    FOR named IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', named.sequencename);
    END LOOP;
    INSERT INTO audit_head VALUES (1, 0, repeat('0', 64));
END $$
"""


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def shared_postgresql_url(postgresql_server: str) -> str:
    """The URL of a PostgreSQL database with our tables, which tests leave as untidy as they like."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shared")
    url = postgresql_server.replace("/postgres", "/shared")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def empty_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with our tables and nothing in them, closed: to be copied, which costs less than migrating."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrate(f"sqlite:///{folder}/empty.db")
    assert [path.name for path in folder.iterdir()] == ["empty.db"]
    return folder / "empty.db"


@pytest.fixture(params=BOTH)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with our tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("empty_sqlite_file"), tmp_path / "state.db")
        return f"sqlite:///{tmp_path}/state.db"
    url = str(request.getfixturevalue("shared_postgresql_url"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTY_AGAIN)
    return url


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
