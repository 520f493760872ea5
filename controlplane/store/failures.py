"""What the database says when it fails, in the two words that the rest of the house knows."""

import sqlite3
from typing import Final

from sqlalchemy import exc
from sqlalchemy.engine import URL, Engine, ExceptionContext
from sqlalchemy.event import listens_for

from controlplane.ports import Permanent, Transient
from controlplane.store.database_url import describe, scrub

# https://www.sqlite.org/rescode.html: busy, locked, out of memory, interrupted, I/O, disk full, lock protocol
_PASSING_SQLITE: Final = {5, 6, 7, 9, 10, 13, 15}
_READ_ONLY: Final = "25006"
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by class: connection, rollback, resources,
# operator intervention, system; and alone: idle timeout, read-only after a failover, lock not available
_PASSING_CLASSES: Final = ("08", "40", "53", "57", "58")
_PASSING_STATES: Final = {"25P03", "55P03", _READ_ONLY}
READING: Final = "flyball_reading"  # execution option: this transaction only reads
_MISSING_TABLE: Final = "no such table"
_CANNOT_OPEN: Final = 14
_UNDEFINED_TABLE: Final = "42P01"


def translate_failures(engine: Engine, url: URL) -> None:
    """Make `engine` raise `Transient` or `Permanent` instead of its own exceptions, without passwords in them."""

    @listens_for(engine, "handle_error", retval=True)
    def translate(context: ExceptionContext) -> BaseException:
        error = context.original_exception
        reading = context.connection is not None and context.connection.get_execution_options().get(READING, False)
        if reading and getattr(error, "sqlstate", None) == _READ_ONLY:
            return Permanent("a transaction that only reads was asked to write")
        return as_port_error(error, url)


def as_port_error(error: BaseException, url: URL) -> Transient | Permanent:
    """The port's exception for what a driver or SQLAlchemy raised."""
    if isinstance(error, Transient | Permanent):
        return error
    message = f"{describe(url)}: {scrub(' '.join(str(error).split()), url)}"
    if _schema_is_missing(error):
        return Permanent(f"{message}; the tables are missing: the database has not been migrated")
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == _CANNOT_OPEN:
        return Permanent(f"{message}; either it may not be opened, or there is none: it has not been migrated")
    return Transient(message) if _may_pass(error) else Permanent(message)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    import psycopg  # which takes long, and who has SQLite does not need

    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        if state is None:  # the connection itself: refused, reset, timed out
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return state.startswith(_PASSING_CLASSES) or state in _PASSING_STATES
    return isinstance(error, exc.TimeoutError)  # the pool has no connection left


def _schema_is_missing(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return isinstance(error, sqlite3.OperationalError) and _MISSING_TABLE in str(error)
    import psycopg

    return isinstance(error, psycopg.Error) and error.sqlstate == _UNDEFINED_TABLE
