"""Connections to SQLite and PostgreSQL with the promises that the store makes already switched on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from controlplane.ports import Transient
from controlplane.store.canonical_json import canonical_json
from controlplane.store.database_url import describe
from controlplane.store.failures import READING, as_port_error, translate_failures
from controlplane.store.turns import Turns

if TYPE_CHECKING:
    import psycopg

LOCK_SECONDS: Final = 5  # how long a statement waits for another transaction before it is `Transient`
STALL_SECONDS: Final = 30  # how long PostgreSQL keeps a transaction whose owner has gone silent
CONNECT_SECONDS: Final = 5
CACHE_KIB: Final = 32 * 1024  # of SQLite, a connection: a batch into indexes of 10 M rows takes half the time of 2 MiB
CHECKPOINT_PAGES: Final = 4000  # of 4 KiB: each of those batches changes 2,000, and 1,000 meant a checkpoint for each
_TURNS: Final = "flyball_turns"
_FILE: Final = "flyball_file"  # which file a pooled connection has open


def make_engine(url: URL, *, lock_seconds: int = LOCK_SECONDS, stall_seconds: int = STALL_SECONDS) -> Engine:
    """An engine for `url`, which `parse_database_url` made. Connects at first use."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, lock_seconds)
    return _postgresql(url, lock_seconds, stall_seconds)


def _sqlite(url: URL, lock_seconds: int) -> Engine:
    file = f"file:{quote(str(url.database))}?mode=rw"  # only `migrate` makes one: a mistyped path is an error

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(file, uri=True, check_same_thread=False)

    turns = Turns(lock_seconds, describe(url))
    engine = create_engine(
        url,
        creator=connect,
        json_serializer=canonical_json,
        hide_parameters=True,
        execution_options={_TURNS: turns},
    )
    translate_failures(engine, url)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        connection.execute(f"PRAGMA busy_timeout = {lock_seconds * 1000}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns, even in WAL mode

    @event.listens_for(engine, "checkout")
    def still_there(_raw: sqlite3.Connection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        """A file that was deleted or replaced would take commits that nobody ever finds again: open anew."""
        if entry.info.setdefault(_FILE, _identity(url)) != _identity(url):
            raise DisconnectionError("the database file is not the one that was opened")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READING, False)
        connection.exec_driver_sql(f"PRAGMA query_only = {int(reading)}")
        # A transaction that reads first and writes later may find that another one wrote in between, and that it
        # cannot go on. Writers therefore queue up at their beginning.
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _identity(url: URL) -> tuple[int, int] | None:
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(url: URL, lock_seconds: int, stall_seconds: int) -> Engine:
    engine = create_engine(
        url,
        json_serializer=canonical_json,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_SECONDS} if "connect_timeout" not in url.query else {},
    )
    translate_failures(engine, url)

    @event.listens_for(engine, "connect")
    def prepare(connection: "psycopg.Connection[Any]", _entry: ConnectionPoolEntry) -> None:
        connection.execute(
            f"SET timezone = 'UTC'; SET lock_timeout = '{lock_seconds}s'; SET statement_timeout = '{stall_seconds}s'; "
            f"SET idle_in_transaction_session_timeout = '{stall_seconds}s'"
        )
        connection.commit()

    return engine


@contextmanager
def open_transaction(engine: Engine, *, read_only: bool = False) -> Iterator[Connection]:
    """A transaction that commits on leaving and rolls back on an exception; errors as the ports have them."""
    options: dict[str, Any] = {READING: True} if read_only else {}
    if read_only and engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    turns = None if read_only else engine.get_execution_options().get(_TURNS)
    with turns.turn() if turns is not None else nullcontext():
        try:
            connection = engine.connect()
        except PoolTimeout as error:
            raise as_port_error(error, engine.url) from error
        with connection, connection.execution_options(**options).begin():
            yield connection
            _refuse_a_broken_transaction(connection)


def _refuse_a_broken_transaction(connection: Connection) -> None:
    """Both databases take COMMIT for a transaction that they broke off before, and write nothing, silently."""
    driver: object = connection.connection.dbapi_connection
    if isinstance(driver, sqlite3.Connection):
        intact = driver.in_transaction
    else:
        import psycopg  # which takes long, and who has SQLite does not need

        status = psycopg.pq.TransactionStatus  # IDLE: it begins with the first statement, and there was none
        intact = isinstance(driver, psycopg.Connection) and driver.info.transaction_status in (
            status.INTRANS,
            status.IDLE,
        )
    if not intact:
        raise Transient("an earlier error broke the transaction off; nothing was written")
