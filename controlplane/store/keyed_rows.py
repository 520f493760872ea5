"""Many rows by their keys in one statement each way, past SQLAlchemy's work per value.

Statements are made of names that stand in our tables; every value is bound. SQLite gets a row at a time, days and times
as the text that SQLAlchemy writes; PostgreSQL gets all rows as one JSON text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection

Key = tuple[Any, ...]
_SHARED: Final = 8  # keys that must share all but their last column, on average, to be asked for together
Columns = Mapping[str, str]  # name → PostgreSQL's type
_WITHOUT_ZONE: Final = len("2026-11-05 12:00:00.123456")
_CAST: Final = {  # of a text from JSON, to PostgreSQL's types
    "text": "{}",
    "bigint": "({})::bigint",
    "date": "({})::date",
    "bytea": "decode({}, 'hex')",
    "timestamptz": "({})::timestamptz",
    "double precision": "({})::double precision",
    "boolean": "({})::boolean",
}


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """One table: its primary key, and the columns besides."""

    table: str
    key: Columns
    values: Columns

    def read(self, connection: Connection, keys: Sequence[Key], names: Sequence[str]) -> Iterator[tuple[Key, Key]]:
        """(key, values of `names`) of those keys that are there, in any order."""
        if not keys:
            return
        if connection.dialect.name == "sqlite":
            yield from self._read_from_sqlite(connection, keys, names)
            return
        for number, *values in connection.exec_driver_sql(self._postgresql_read(names), (_as_json(keys),)):
            yield keys[number], tuple(values)

    def _read_from_sqlite(
        self, connection: Connection, keys: Sequence[Key], names: Sequence[str]
    ) -> Iterator[tuple[Key, Key]]:
        """By all but the last column of the key where many keys share those: a third of the time of the other way."""
        groups: dict[Key, dict[object, Any]] = {}  # as it is written → as it was asked for
        for key in keys:
            groups.setdefault(key[:-1], {})[_as_text(key[-1])] = key[-1]
        if len(groups) * _SHARED > len(keys):
            written = orjson.dumps([[_as_text(value) for value in key] for key in keys]).decode()
            for number, *values in connection.exec_driver_sql(self._sqlite_read(names), (written,)):
                yield keys[number], tuple(values)
            return
        statement = self._sqlite_read_group(names)
        for group, last in groups.items():
            bound = (*map(_as_text, group), orjson.dumps(list(last)).decode())
            for found, *values in connection.exec_driver_sql(statement, bound):
                yield (*group, last[found]), tuple(values)

    def insert(self, connection: Connection, rows: Sequence[Key]) -> None:
        """Write rows (key and values, in order) that are not there."""
        self._write(connection, rows, "")

    def add(self, connection: Connection, rows: Sequence[Key]) -> None:
        """Write rows whose keys are not there, and leave the others as they are."""
        self._write(connection, rows, " ON CONFLICT DO NOTHING")

    def upsert(self, connection: Connection, rows: Sequence[Key]) -> None:
        """Write rows that replace what stands under their keys."""
        changed = ", ".join(f"{name} = excluded.{name}" for name in self.values)
        self._write(connection, rows, f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changed}")

    def delete(self, connection: Connection, keys: Sequence[Key]) -> None:
        """Drop the rows of these keys."""
        if not keys:
            return
        if connection.dialect.name == "sqlite":
            fits = " AND ".join(f"{name} = ?" for name in self.key)
            statement = f"DELETE FROM {self.table} WHERE {fits}"  # noqa: S608
            connection.exec_driver_sql(statement, [tuple(map(_as_text, key)) for key in keys])
            return
        fits = " AND ".join(f"t.{name} = k.{name}" for name in self.key)
        chosen = f"SELECT {_from_json(self.key)} FROM jsonb_array_elements(%s::jsonb) AS e (v)"  # noqa: S608
        statement = f"DELETE FROM {self.table} AS t USING ({chosen}) AS k WHERE {fits}"  # noqa: S608
        connection.exec_driver_sql(statement, (_as_json(keys),))

    def _write(self, connection: Connection, rows: Sequence[Key], on_conflict: str) -> None:
        if not rows:
            return
        columns = {**self.key, **self.values}
        names = ", ".join(columns)
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" for _ in columns)
            statement = f"INSERT INTO {self.table} ({names}) VALUES ({marks}){on_conflict}"  # noqa: S608
            connection.exec_driver_sql(statement, self._as_sqlite_has_them(rows))
            return
        source = f"SELECT {_from_json(columns)} FROM jsonb_array_elements(%s::jsonb) AS e (v)"  # noqa: S608
        statement = f"INSERT INTO {self.table} ({names}) {source}{on_conflict}"
        connection.exec_driver_sql(statement, (_as_json(rows),))

    def _as_sqlite_has_them(self, rows: Sequence[Key]) -> list[Key]:
        """Only days and times are written differently there; most tables have none, and none has many."""
        kinds = (*self.key.values(), *self.values.values())
        special = [place for place, kind in enumerate(kinds) if kind in ("date", "timestamptz")]
        if not special:
            return list(rows)
        written = []
        for row in rows:
            cells = list(row)
            for place in special:
                cells[place] = _as_text(cells[place])
            written.append(tuple(cells))
        return written

    def _sqlite_read(self, names: Sequence[str]) -> str:
        fits = " AND ".join(f"t.{name} = json_extract(k.value, '$[{place}]')" for place, name in enumerate(self.key))
        wanted = ", ".join(f"t.{name}" for name in names)
        return f"SELECT k.key, {wanted} FROM json_each(?) AS k CROSS JOIN {self.table} AS t ON {fits}"  # noqa: S608

    def _sqlite_read_group(self, names: Sequence[str]) -> str:
        *shared, last = self.key
        fits = "".join(f"{name} = ? AND " for name in shared)
        wanted = ", ".join((last, *names))
        return f"SELECT {wanted} FROM {self.table} WHERE {fits}{last} IN (SELECT value FROM json_each(?))"  # noqa: S608

    def _postgresql_read(self, names: Sequence[str]) -> str:
        """The lateral query with its OFFSET keeps the planner at one look into the index for each key."""
        fits = " AND ".join(f"t.{name} = k.{name}" for name in self.key)
        wanted = ", ".join(names)
        keys = f"SELECT number, {_from_json(self.key)} FROM jsonb_array_elements(%s::jsonb)"  # noqa: S608
        return (
            f"SELECT k.number - 1, f.* FROM ({keys} WITH ORDINALITY AS e (v, number)) AS k "  # noqa: S608
            f"CROSS JOIN LATERAL (SELECT {wanted} FROM {self.table} AS t WHERE {fits} OFFSET 0) AS f"
        )


def _from_json(columns: Columns) -> str:
    """PostgreSQL's columns out of `v`, a list as JSON. One JSON text is bound in a twelfth of the time of arrays."""
    cells = (f"v ->> {place}" for place in range(len(columns)))
    cast = (_CAST[kind].format(cell) for kind, cell in zip(columns.values(), cells, strict=True))
    return ", ".join(f"{cell} AS {name}" for name, cell in zip(columns, cast, strict=True))


def _as_json(rows: Sequence[Key]) -> str:
    return orjson.dumps(rows, bytes.hex).decode()


def _as_text(value: object) -> object:
    if type(value) is str:
        return value
    if isinstance(value, datetime):
        if value.tzinfo is UTC:
            return value.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value
