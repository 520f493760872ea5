"""One SQL statement for a question: a part for each source, summed up together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from controlplane.model.spend import HOUR, SpendQuestion
from finops.billed.model import Dimensions, Term
from finops.billed.query.dimensions import DETAILED, is_time, ledger_column, terms_of, time_key

_NO_DIMENSIONS: Final[Dimensions] = {}


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """A source's partitions: paths in one order."""

    source: str
    charges: tuple[str, ...]
    daily: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters. Columns: a key for each of `by`, currency, billed, effective, list (NULL where any row
    has none), quantity, unit (both NULL unless all rows share the unit), rows."""

    sql: str
    parameters: tuple[object, ...]


def statement(question: SpendQuestion, files: Sequence[SourceFiles], dimensions: Mapping[str, Dimensions]) -> Statement:
    """The statement for a question; `files` must not be empty. Raises `Permanent` for what is no dimension."""
    keys = [f"k{place}" for place in range(len(question.by))]
    parts = [_Part(question, each, dimensions.get(each.source, _NO_DIMENSIONS)) for each in files]
    inner = " UNION ALL ".join(part.sql() for part in parts)
    columns = "".join(f"{key}, " for key in keys)
    sql = (
        f"SELECT {columns}currency, sum(billed), coalesce(sum(effective), 0), "
        "CASE WHEN sum(list_missing) = 0 THEN sum(list) END, "
        "CASE WHEN min(unit) = max(unit) AND count(unit) = count(*) AND sum(quantity_missing) = 0 "
        "THEN sum(quantity) END, CASE WHEN min(unit) = max(unit) AND count(unit) = count(*) "
        "AND sum(quantity_missing) = 0 THEN min(unit) END, "
        f"CAST(sum(rows) AS BIGINT) FROM ({inner}) GROUP BY {columns}currency"
    )
    return Statement(sql, tuple(parameter for part in parts for parameter in part.parameters))


@dataclass(slots=True)
class _Part:
    """The rows of one source that the question is about."""

    question: SpendQuestion
    files: SourceFiles
    declared: Dimensions
    parameters: list[object] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def sql(self) -> str:
        """A SELECT with the keys and sums of single rows."""
        daily = not self._needs_charges()
        moment = "CAST(day AS TIMESTAMP)" if daily else "start"
        keys = "".join(
            f"{time_key(name, moment) if is_time(name) else self._value(name)} AS k{place}, "
            for place, name in enumerate(self.question.by)
        )
        values: list[object] = []
        conditions = [
            f"{moment} >= ? AND {moment} < ?",
            *(self._condition(name, values) for name in self.question.where),
        ]
        sums = "currency, billed, effective, list, quantity, unit, list_missing, quantity_missing, rows"
        if not daily:
            conditions.append("NOT quarantined")
            sums = (
                "currency, billed, effective, list, quantity, unit, CAST(list IS NULL AS INTEGER) AS list_missing, "
                "CAST(quantity IS NULL AS INTEGER) AS quantity_missing, 1 AS rows"
            )
        self.parameters = [list(self.files.daily if daily else self.files.charges)]
        join = self._join("id" if daily else "raw")
        self.parameters += [_plain(self.question.start), _plain(self.question.end), *values]
        return f"SELECT {keys}{sums} FROM read_parquet(?) AS c{join} WHERE {' AND '.join(conditions)}"

    def _needs_charges(self) -> bool:
        """Daily sums answer unless hours, resources or SKUs matter, or the time begins or ends within a day."""
        names = (*self.question.by, *self.question.where)
        if HOUR in names or any(_within_day(each) for each in (self.question.start, self.question.end)):
            return True
        terms = [term for name in names if not is_time(name) for term in terms_of(name, self.declared)]
        return any(term.column in DETAILED for term in terms)

    def _value(self, name: str) -> str:
        found = [self._term(term) for term in terms_of(name, self.declared)]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    def _term(self, term: Term) -> str:
        if term.column:
            return f"c.{ledger_column(term.column)}"
        return f"t.{self.tags.setdefault(term.tag, f't{len(self.tags)}')}"

    def _condition(self, name: str, values: list[object]) -> str:
        """Any of the values; the empty text stands for none."""
        moment = "start" if self._needs_charges() else "CAST(day AS TIMESTAMP)"
        value = time_key(name, moment) if is_time(name) else self._value(name)
        wanted = self.question.where[name]
        parts = [f"{value} IS NULL"] if "" in wanted else []
        if real := [each for each in wanted if each]:
            parts.append(f"{value} IN ({', '.join('?' for _ in real)})")
            values += real
        return f"({' OR '.join(parts)})" if parts else "FALSE"

    def _join(self, key: str) -> str:
        """The tags that the question asks for, taken out of their sets once a set."""
        if not self.tags:
            return ""
        self.parameters += [*self.tags, list(self.files.tags)]
        taken = ", ".join(f"map_extract_value(tags, ?) AS {alias}" for alias in self.tags.values())
        return (
            f" LEFT JOIN (SELECT file_index AS file_number, {key} AS tag_set, {taken} FROM read_parquet(?)) AS t "
            "ON t.file_number = c.file_index AND t.tag_set = c.tags"
        )


def _within_day(moment: datetime) -> bool:
    return bool(moment.hour or moment.minute or moment.second or moment.microsecond)


def _plain(moment: datetime) -> datetime:
    """Aware UTC as DuckDB's TIMESTAMP."""
    return moment.replace(tzinfo=None)
