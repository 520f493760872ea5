"""Bringing a database to the schema that this version of Flyball knows."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.engine import URL

from controlplane.ports import Permanent
from controlplane.store.database_url import describe, parse_database_url
from controlplane.store.engines import make_engine, open_transaction
from controlplane.store.failures import as_port_error
from controlplane.store.write_order import MIGRATION_LOCK

VERSION_TABLE: Final = "schema_revision"
_WAIT_SECONDS: Final = 60  # for another replica that migrates
_POLL_SECONDS: Final = 0.05


def migrate(url: str, *, revision: str = "head") -> None:
    """Create or upgrade the tables (`revision="base"` drops them). Does nothing when they are up to date.

    Several replicas may call it at once: one migrates, the others wait. Everything happens in one transaction.
    Raises `Permanent` when the database was migrated by a newer Flyball, `Transient` when it cannot be reached.
    """
    parsed = parse_database_url(url)
    if parsed.get_backend_name() == "sqlite":
        _prepare_file(parsed)
    engine = make_engine(parsed, lock_seconds=_WAIT_SECONDS, stall_seconds=0)
    try:
        with _alone(engine) as connection:
            current = schema_revision(connection)
            _refuse_unknown(current, parsed)
            move = command.downgrade if revision == "base" else command.upgrade
            move(_config(connection), revision)
    finally:
        engine.dispose()


def schema_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def known_revision() -> str:
    """The revision that this version of Flyball works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head
    return head


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    with open_transaction(engine) as connection:  # SQLite: BEGIN IMMEDIATE, one writer at a time
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        yield connection


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "controlplane.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(revision: str | None, url: URL) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise Permanent(
            f"{describe(url)}: the schema is at revision {revision}, this Flyball knows up to {known_revision()}: "
            "a newer Flyball has migrated it; upgrade this one"
        )


def _prepare_file(url: URL) -> None:
    """Create the folder, and switch the file to write-ahead logging, which it then remembers."""
    file = Path(str(url.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Permanent(f"{describe(url)}: cannot create {file.parent}: {error.strerror}") from error
    _switch_to_wal(url)


def _switch_to_wal(url: URL) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:  # the busy timeout does not cover all of this switch: of 900 rivals 7 were turned away at once
        try:
            with closing(sqlite3.connect(str(url.database))) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.Error as error:
            failure = as_port_error(error, url)
            if isinstance(failure, Permanent) or time.monotonic() > deadline:
                raise failure from error
            time.sleep(_POLL_SECONDS)
