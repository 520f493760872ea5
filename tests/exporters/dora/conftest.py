"""Stores on both databases, with nothing in them."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from controlplane.store import SqlStore, migrate, open_store


@pytest.fixture(scope="session")
def dora_template(postgresql_server: str) -> str:
    """The name of a PostgreSQL database with our tables, to be copied."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE dora")
    migrate(postgresql_server.replace("/postgres", "/dora"))
    return "dora"


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
    server = str(request.getfixturevalue("postgresql_server"))
    template, name = request.getfixturevalue("dora_template"), f"dora_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return server.replace("/postgres", f"/{name}")


@pytest.fixture
def store(dora_url: str) -> Iterator[SqlStore]:
    """A store over it."""
    opened = open_store(dora_url)
    yield opened
    opened.close()
