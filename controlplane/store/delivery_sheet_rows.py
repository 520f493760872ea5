"""Sheets of a report, of which there are many with much in them, past SQLAlchemy's work per value."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection

from controlplane.collection import collection_paused
from controlplane.model.delivery import Sheet, SheetKey
from controlplane.store.failures import as_port_error

_Row = tuple[str, str, date, bytes]


def sheets_where(connection: Connection, chosen: Mapping[str, date | str]) -> list[Sheet]:
    """Those that fit, sorted by key. `chosen` leads from the beginning of a condition (`day >=`) to its value."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    fits = " AND ".join(f"{condition} {mark}" for condition in chosen)
    statement = f"SELECT service, environment, day, body FROM delivery_sheets WHERE {fits}"  # noqa: S608 -- bound
    read = _from_sqlite if connection.dialect.name == "sqlite" else _from_postgresql
    with collection_paused():
        rows = sorted(read(connection, statement, list(chosen.values())))
        return [Sheet(SheetKey(service, environment, day), body) for service, environment, day, body in rows]


def _from_sqlite(connection: Connection, statement: str, values: list[date | str]) -> list[_Row]:
    bound = tuple(value.isoformat() if isinstance(value, date) else value for value in values)
    days: dict[str, date] = {}
    rows = []
    for service, environment, text, body in connection.exec_driver_sql(statement, bound):
        day = days.get(text) or days.setdefault(text, date.fromisoformat(text))
        rows.append((service, environment, day, body))
    return rows


def _from_postgresql(connection: Connection, statement: str, values: list[date | str]) -> list[_Row]:
    """It sends bytes as they are where it is asked to, in a quarter of the time, and SQLAlchemy does not ask."""
    import psycopg  # which takes long, and who has SQLite does not need

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor(binary=True) as cursor:
            return list(cursor.execute(statement, values))
    except psycopg.Error as error:
        raise as_port_error(error, connection.engine.url) from error
