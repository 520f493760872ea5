"""Finds faulty values again in the raw rows: counts of all, places of the first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from controlplane.problems import Problem
from finops.billed.adapters.session import Session
from finops.billed.adapters.staging import Staged
from finops.billed.columns import CURRENCY, TAGS
from finops.billed.faults import BY_NAME, EXAMPLES, Action, Example, Found, shown
from finops.billed.ledger.partition import Money
from finops.billed.normalising.reading import Check
from finops.billed.normalising.rows import RowReader

_RAW_LENGTH: Final = 200
_MAX_TEXTS: Final = 1_000  # of faulty tags that are looked for
_SHOWN_PROBLEMS: Final = 10


@dataclass(frozen=True, slots=True)
class RawRows:
    """Files of one schema, and how their rows are read. `sql` takes one parameter: the list of their paths."""

    files: Sequence[Staged]
    reader: RowReader
    sql: str = "read_parquet(?)"

    @property
    def paths(self) -> list[str]:
        """What `sql` reads."""
        return [str(each.path) for each in self.files]


@dataclass(frozen=True, slots=True)
class FaultSearch:
    """Faults of one period (None: of all rows), in the columns that are `suspicious` at all.

    `takes_strays`: rows without a readable period are among them.
    """

    session: Session
    raw: Sequence[RawRows]
    period: date | None
    columns: frozenset[str] = frozenset()
    takes_strays: bool = True

    def suspicious(self) -> frozenset[str]:
        """FOCUS columns in which there may be a fault; one quick look at every value."""
        found: set[str] = set()
        for each in self.raw:
            names = list(each.reader.suspects)
            probes = ", ".join(f"count(*) FILTER (WHERE {each.reader.suspects[name]})" for name in names)
            counts = self.session.run(f"SELECT {probes} FROM {each.sql}", [each.paths])[0]
            found.update(name for name, count in zip(names, counts, strict=True) if count)
        return frozenset(found)

    def found(self) -> list[Found]:
        """Every fault of every suspicious column, in the order of columns."""
        by_place: dict[tuple[str, str], Found] = {}
        for each in self.raw:
            checks = [check for check in each.reader.checks if check.column in self.columns]
            for check, rows in zip(checks, self._counts(each, checks), strict=True):
                if rows:
                    self._add(by_place, check, rows, self._examples(each, check.condition, check.raw))
        return sorted(by_place.values(), key=lambda one: (one.ordinal, one.fault))

    def quarantined_money(self) -> tuple[Money, ...]:
        """Rows that do not count, by currency (empty where none can be read), their money as far as it can be."""
        parts = " UNION ALL ".join(
            f"SELECT {_selected(each, 'currency')}, {_selected(each, 'billed')}, {_selected(each, 'effective')} "
            f"FROM {each.sql} WHERE ({each.reader.quarantined}) AND {self.within(each)}"
            for each in self.raw
        )
        found = self.session.run(
            "SELECT coalesce(currency, ''), coalesce(sum(billed), 0), coalesce(sum(effective), 0), count(*), "
            f"count(*) - count(effective) FROM ({parts}) GROUP BY 1 ORDER BY 1",
            [each.paths for each in self.raw],
        )
        return tuple(Money(*row) for row in found)

    def _counts(self, raw: RawRows, checks: Sequence[Check]) -> list[int]:
        if not checks:
            return []
        filters = ", ".join(f"count(*) FILTER (WHERE {check.condition})" for check in checks)
        counts = self.session.run(f"SELECT {filters} FROM {raw.sql} WHERE {self.within(raw)}", [raw.paths])[0]
        return [int(count) for count in counts]

    def within(self, raw: RawRows) -> str:
        """Where a raw row is of the period."""
        if self.period is None:
            return "TRUE"
        strays = f" OR ({raw.reader.period}) IS NULL" if self.takes_strays else ""
        return f"(CAST({raw.reader.period} AS DATE) = DATE '{self.period}'{strays})"

    @staticmethod
    def _add(by_place: dict[tuple[str, str], Found], check: Check, rows: int, examples: Sequence[Example]) -> None:
        key = (check.fault, check.column)
        before = by_place.get(key)
        rows += before.rows if before else 0
        known = (*(before.examples if before else ()), *examples)[:EXAMPLES]
        by_place[key] = Found(check.fault, check.column, check.ordinal, check.action, rows, known)

    def _examples(self, raw: RawRows, condition: str, value: str) -> list[Example]:
        sql = (
            f"SELECT file_index, file_row_number, left({value}, {_RAW_LENGTH}) FROM {raw.sql} "
            f"WHERE ({condition}) AND {self.within(raw)} ORDER BY 1, 2 LIMIT {EXAMPLES}"
        )
        found = self.session.run(sql, [raw.paths])
        examples = []
        for place, file in enumerate(raw.files):
            records = [(file.record_of(row), text) for index, row, text in found if index == place]
            lines = file.lines_of(record for record, _ in records)
            examples += [Example(file.shown, record, lines.get(record), shown(text)) for record, text in records]
        return examples

    def of_tags(self, faults: Sequence[tuple[str, str, int]]) -> Iterator[Found]:
        """Faults of tags that were read; each is (fault, raw text, rows)."""
        for name, action in (
            ("tags-unreadable", Action.EMPTIED), ("tag-key-spaced", Action.NORMALISED),
            ("tag-conflict", Action.NORMALISED),
        ):  # fmt: skip
            texts = [(text, rows) for fault, text, rows in faults if fault == name]
            if texts:
                wanted = [text for text, _ in texts[:_MAX_TEXTS]]
                yield self._of_texts(name, action, wanted, sum(rows for _, rows in texts))

    def _of_texts(self, name: str, action: Action, wanted: Sequence[str], rows: int) -> Found:
        examples: list[Example] = []
        ordinal = 0
        for raw in self.raw:
            column = raw.files[0].schema.get(TAGS)
            if column is None or len(examples) >= EXAMPLES:
                continue
            ordinal = ordinal or column.ordinal
            literals = ", ".join("'" + text.replace("'", "''") + "'" for text in wanted)
            value = raw.reader.selected["tags"]
            examples += self._examples(raw, f"({value}) IN ({literals})", value)
        return Found(name, TAGS, ordinal, action, rows, tuple(examples[:EXAMPLES]))

    def of_currencies(self, money: Sequence[Money]) -> Iterator[Found]:
        """A period with several currencies: rows in another one than most."""
        if len(money) < 2:
            return
        most = max(money, key=lambda each: each.rows).currency
        rows = sum(each.rows for each in money if each.currency != most)
        examples: list[Example] = []
        for raw in self.raw:
            value = raw.reader.selected["currency"]
            examples += self._examples(raw, f"({value}) <> '{most}' AND NOT ({raw.reader.quarantined})", value)
        ordinal = self.raw[0].files[0].schema.columns[CURRENCY].ordinal
        yield Found("currency-mixed", CURRENCY, ordinal, Action.NORMALISED, rows, tuple(examples[:EXAMPLES]))

    def of_shape(self) -> Found:
        """Rows of CSV files that are none."""
        examples = []
        files = [file for raw in self.raw for file in raw.files]
        for file in files:
            lines = file.lines_of(each.record - 1 for each in file.rejected[:EXAMPLES])
            examples += [
                Example(file.shown, each.record - 1, lines.get(each.record - 1), shown(each.text.strip()))
                for each in file.rejected[:EXAMPLES]
            ]
        rows = sum(len(file.rejected) for file in files)
        first = next((each.column for file in files for each in file.rejected), 1)
        return Found("row-shape", "", first, Action.QUARANTINED, rows, tuple(examples[:EXAMPLES]))


def _selected(raw: RawRows, name: str) -> str:
    return f"{raw.reader.selected[name]} AS {name}"


def problems_from(found: Sequence[Found], why: str) -> Iterator[Problem]:
    """The first places of the gravest faults, as reasons for a refusal."""
    grave = [each for each in found if each.action is Action.QUARANTINED] or list(found)
    for each in sorted(grave, key=lambda one: -one.rows)[:_SHOWN_PROBLEMS]:
        example = each.examples[0] if each.examples else None
        file, line = (example.file, example.line or example.row) if example else ("", 1)
        value = f": `{example.value}`" if example and example.value else ""
        message = f"{BY_NAME[each.fault].meaning}{value} ({each.rows:,} row{'s' if each.rows != 1 else ''} like this)"
        yield Problem(file, line, each.ordinal, each.column, message, hint=why, rule=each.fault)
