"""Stores on both databases, with nothing in them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from controlplane.store import SqlStore, migrate, open_store

# Faster than a copy of the database; TRUNCATE makes new files for every table.
EMPTY_AGAIN: LiteralString = """
DO $$
DECLARE named record;
BEGIN
    FOR named IN SELECT tablename FROM pg_tables
        WHERE tablename LIKE 'delivery%' OR tablename IN ('events', 'leases') LOOP
        EXECUTE format('DELETE FROM %I', named.tablename);
    END LOOP;
    FOR named IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', named.sequencename);
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def dora_postgresql_url(postgresql_server: str) -> str:
    """The URL of a PostgreSQL database with our tables, which tests leave as untidy as they like."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE dora")
    url = postgresql_server.replace("/postgres", "/dora")
    migrate(url)
    return url


@pytest.fixture(scope="session")
def dora_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with our tables, to be copied."""
    folder = tmp_path_factory.mktemp("dora")
    migrate(f"sqlite:///{folder}/empty.db")
    return folder / "empty.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def dora_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with our tables and nothing in them."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("dora_file"), tmp_path / "state.db")
        return f"sqlite:///{tmp_path}/state.db"
    url = str(request.getfixturevalue("dora_postgresql_url"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(EMPTY_AGAIN)
    return url


@pytest.fixture
def store(dora_url: str) -> Iterator[SqlStore]:
    """A store over it."""
    opened = open_store(dora_url)
    yield opened
    opened.close()
