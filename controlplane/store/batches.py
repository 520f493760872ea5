"""Many rows in few statements."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Table, Text, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

_BATCH: Final = 500  # values in one IN: PostgreSQL and SQLite take 32,766 parameters a statement, both plan 500 well
T = TypeVar("T")


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items` in parts of at most 500, in order."""
    for first in range(0, len(items), _BATCH):
        yield items[first : first + _BATCH]


def unseen(connection: Connection, column: Column[Any], items: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """Those whose name stands neither in `column` nor on an item before them."""
    first: dict[str, T] = {}
    for item in items:
        first.setdefault(name(item), item)
    known: set[str] = set()
    for batch in batches(list(first)):
        known.update(connection.scalars(select(column).where(column.in_(batch))))
    return [item for own, item in first.items() if own not in known]


def among(connection: Connection, column: Column[Any], texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column of text is one of these, of any number: one parameter, where `in_` makes one of each."""
    if connection.dialect.name == "sqlite":
        listed = func.json_each(orjson.dumps(list(texts)).decode()).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(texts), ARRAY(Text)))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write rows that no key of the table forbids, in this order; how many they were."""
    if not rows:
        return 0
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    key = next(iter(table.primary_key))
    written = make(table).on_conflict_do_nothing().returning(key)  # drivers don't count rows of many statements alike
    return len(connection.scalars(written, list(rows)).all())
