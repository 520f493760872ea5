"""One SQL statement for a question: a part for each source, summed up together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from controlplane.model.spend import HOUR, SpendQuestion
from finops.billed.model import Dimensions, Term
from finops.billed.normalising.reading import text
from finops.billed.normalising.rows import RowReader
from finops.billed.query.dimensions import DETAILED, is_time, ledger_column, terms_of, time_part

_NO_DIMENSIONS: Final[Dimensions] = {}
_DAILY: Final = "currency, billed, effective, list, quantity, unit, list_missing, quantity_missing, rows"
_SINGLE: Final = (
    "currency, billed, effective, list, quantity, unit, CAST(list IS NULL AS INTEGER) AS list_missing, "
    "CAST(quantity IS NULL AS INTEGER) AS quantity_missing, 1 AS rows"
)


@dataclass(frozen=True, slots=True)
class Charges:
    """Raw files of one schema; `partitions` has the place of each one's partition in the source's tag files.

    `all_count`: none of their rows is in quarantine. `currency` is that of all rows that count, empty when there are
    several: what is known need not be compared ten million times.
    """

    paths: tuple[str, ...]
    partitions: tuple[int, ...]
    reader: RowReader
    all_count: bool
    currency: str = ""


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """A source's partitions, in one order; `charges` is empty where daily sums answer."""

    source: str
    daily: tuple[str, ...]
    tags: tuple[str, ...]
    charges: tuple[Charges, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters. Columns: a key for each of `by`, currency, billed, effective, list (NULL where any row
    has none), quantity, unit (both NULL unless all rows share the unit), rows."""

    sql: str
    parameters: tuple[object, ...]


def needs_charges(question: SpendQuestion, declared: Dimensions = _NO_DIMENSIONS) -> bool:
    """Daily sums answer unless hours, resources or SKUs matter, or the time begins or ends within a day."""
    names = (*question.by, *question.where)
    if HOUR in names or any(_within_day(each) for each in (question.start, question.end)):
        return True
    terms = [term for name in names if not is_time(name) for term in terms_of(name, declared)]
    return any(term.column in DETAILED for term in terms)


def statement(question: SpendQuestion, files: Sequence[SourceFiles], dimensions: Mapping[str, Dimensions]) -> Statement:
    """The statement for a question; `files` must not be empty. Raises `Permanent` for what is no dimension."""
    keys = [f"k{place}" for place in range(len(question.by))]
    parts = [
        _Part(question, each, dimensions.get(each.source, _NO_DIMENSIONS), charges)
        for each in files
        for charges in (each.charges or (None,))
    ]
    columns = "".join(f"{key}, " for key in keys)
    inner = " UNION ALL ".join(part.sql() for part in parts)
    if any(part.charges for part in parts):
        inner = _by_unit(inner, columns)
    shown = "".join(f"{_shown(name, key)}, " for name, key in zip(question.by, keys, strict=True))
    order = "".join(f"{key} NULLS FIRST, " for key in keys)
    one_unit = "min(unit) = max(unit) AND count(unit) = count(*) AND sum(quantity_missing) = 0"
    sql = (
        f"SELECT {shown}currency, sum(billed), coalesce(sum(effective), 0), "
        "CASE WHEN sum(list_missing) = 0 THEN sum(list) END, "
        f"CASE WHEN {one_unit} THEN sum(quantity) END, CASE WHEN {one_unit} THEN min(unit) END, "
        f"CAST(sum(rows) AS BIGINT) FROM ({inner}) GROUP BY {columns}currency "
        f"ORDER BY {order}currency"
    )
    return Statement(sql, tuple(parameter for part in parts for parameter in part.parameters))


def _by_unit(inner: str, columns: str) -> str:
    """Many single rows summed up by unit first: comparing the units of all of them takes longer."""
    names = ("billed", "effective", "list", "quantity", "list_missing", "quantity_missing", "rows")
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    return f"SELECT {columns}currency, unit, {sums} FROM ({inner}) GROUP BY {columns}currency, unit"


@dataclass(slots=True)
class _Part:
    """The rows of one source that the question is about: daily sums, or single charges."""

    question: SpendQuestion
    files: SourceFiles
    declared: Dimensions
    charges: Charges | None
    parameters: list[object] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def sql(self) -> str:
        """A SELECT with the keys and sums of single rows. Parameters come in the order of their places."""
        keys = "".join(f"{self._key(name)} AS k{place}, " for place, name in enumerate(self.question.by))
        values: list[object] = []
        moment = self._moment()
        conditions = [f"{moment} >= ? AND {moment} < ?"]
        conditions += [self._condition(name, values) for name in self.question.where]
        if self.question.unit:
            conditions.append("c.unit = ?")
            values.append(self.question.unit)
        source = self._rows()
        join = self._join()
        self.parameters += [_plain(self.question.start), _plain(self.question.end), *values]
        sums = _DAILY if self.charges is None else _SINGLE
        return f"SELECT {keys}{sums} FROM {source} AS c{join} WHERE {' AND '.join(conditions)}"

    def _rows(self) -> str:
        if self.charges is None:
            self.parameters = [list(self.files.daily)]
            return "(SELECT *, file_index AS partition FROM read_parquet(?))"
        self.parameters = [list(self.charges.partitions), list(self.charges.paths)]
        reader = self.charges.reader
        known = {"currency": text(self.charges.currency)} if self.charges.currency else {}
        columns = {**reader.selected, **known}
        selected = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        counts = "TRUE" if self.charges.all_count else f"NOT ({reader.quarantined})"
        return (
            f"(SELECT {selected}, list_extract(CAST(? AS UBIGINT[]), CAST(file_index AS BIGINT) + 1) AS partition "
            f"FROM read_parquet(?) WHERE {counts})"
        )

    def _moment(self) -> str:
        return "CAST(day AS TIMESTAMP)" if self.charges is None else "start"

    def _key(self, name: str) -> str:
        return time_part(name, self._moment()) if is_time(name) else self._value(name)

    def _value(self, name: str) -> str:
        found = [self._term(term) for term in terms_of(name, self.declared)]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def _term(self, term: Term) -> str:
        if term.column:
            return f"c.{ledger_column(term.column)}"
        return f"t.{self.tags.setdefault(term.tag, f't{len(self.tags)}')}"

    def _condition(self, name: str, values: list[object]) -> str:
        """Any of the values; the empty text stands for none."""
        value = _shown(name, self._key(name))
        wanted = self.question.where[name]
        parts = [f"{value} IS NULL"] if "" in wanted else []
        if real := [each for each in wanted if each]:
            parts.append(f"{value} IN ({', '.join('?' for _ in real)})")
            values += real
        return f"({' OR '.join(parts)})" if parts else "FALSE"

    def _join(self) -> str:
        """The tags that the question asks for, taken out of their sets once a set."""
        if not self.tags:
            return ""
        key = "id" if self.charges is None else "raw"
        self.parameters += [*self.tags, list(self.files.tags)]
        taken = ", ".join(f"map_extract_value(tags, ?) AS {alias}" for alias in self.tags.values())
        return (
            f" LEFT JOIN (SELECT file_index AS tag_file, {key} AS tag_set, {taken} FROM read_parquet(?)) AS t "
            "ON t.tag_file = c.partition AND t.tag_set = c.tags"
        )


def _shown(name: str, value: str) -> str:
    """A key as text; the begin of a part of time in ISO 8601."""
    return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')" if is_time(name) else value


def _within_day(moment: datetime) -> bool:
    return bool(moment.hour or moment.minute or moment.second or moment.microsecond)


def _plain(moment: datetime) -> datetime:
    """Aware UTC as DuckDB's TIMESTAMP."""
    return moment.replace(tzinfo=None)
