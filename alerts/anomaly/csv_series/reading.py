"""A CSV file as series: every mistake in it told with its place, what was guessed told as notes."""

import csv
import itertools
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly.csv_series import dialect
from alerts.anomaly.csv_series.bytes_as_text import Unreadable, as_text
from alerts.anomaly.csv_series.columns import Columns, Unclear, columns_of
from alerts.anomaly.csv_series.model import (
    MOST_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Asked,
    Cells,
    CsvFile,
    Numbers,
    Places,
    Seconds,
)
from alerts.anomaly.csv_series.numbers import numbers
from alerts.anomaly.csv_series.splitting import TooMany, split
from alerts.anomaly.csv_series.times import times
from alerts.anomaly.csv_series.zones import in_utc
from controlplane.problems import Problem, Severity

_SAMPLE: Final = 2_000
_MOST_PROBLEMS: Final = 5  # of a kind that are told one by one
_MOST_STRANGE: Final = 0.5  # of the cells that are there: above, the column is none of numbers or times
_TIME_HINT: Final = "ISO 8601 such as 2026-11-30T12:00:00Z, or seconds or milliseconds after the epoch"


@dataclass(slots=True)
class _Columnar:
    """Cells by column, only those that are needed, and the line of each row."""

    lines: "array[int]" = field(default_factory=lambda: array("q"))
    times: list[str] = field(default_factory=list)
    values: list[list[str]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


def read_csv(path: str, content: bytes, asked: Asked) -> CsvFile:
    """Read it all. `path` is how messages call it. Never raises for what is in the file; see `CsvFile.problems`."""
    try:
        return _Reading(path, asked).read(content)
    except Unreadable as error:
        return _refused(path, (Problem(path, 1, 1, "", str(error)),))
    except TooMany as error:
        return _refused(
            path, (Problem(path, 1, 1, "", str(error), hint="name what tells them apart with --by COLUMN"),)
        )
    except _Refused as error:
        return _refused(path, error.problems)


def _refused(path: str, problems: tuple[Problem, ...]) -> CsvFile:
    return CsvFile(path, (), (), (), "", (), (), (), problems)


class _Reading:
    def __init__(self, path: str, asked: Asked) -> None:
        self._path = path
        self._asked = asked
        self._notes: list[str] = []
        self._warnings: list[Problem] = []
        self._text = ""
        self._separator = ","

    def read(self, content: bytes) -> CsvFile:
        self._text = as_text(content, MOST_BYTES)
        self._separator = dialect.separator_of(self._text)
        comma = self._separator != ","
        rows = iter(dialect.rows_of(self._text, self._separator))
        head = self._head(rows)
        names, sample = self._names(head)
        try:
            columns = columns_of(names, [row.cells for row in sample], self._asked, comma=comma)
        except Unclear as error:
            line = head[0].line if error.column is None else sample[0].line
            raise _Refused([self._error(line, error.column or 0, str(error), error.hint)]) from None
        header = head[0].cells if sample is not head else None
        table = self._table(itertools.chain(sample, rows), columns, header)
        return self._file(table, names, columns, comma=comma)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _head(self, rows: Iterable[dialect.Row]) -> list[dialect.Row]:
        try:
            head = list(itertools.islice(rows, _SAMPLE))
        except csv.Error as error:
            raise _Refused([self._error(1, 0, f"is no CSV: {error}", "cells in quotes end with a quote")]) from None
        if not head:
            raise _Refused([self._error(1, 0, "is empty", "a header such as timestamp,value, and rows")])
        if len(head[0].cells) > MOST_COLUMNS:
            message = f"has {len(head[0].cells):,} columns, at most {MOST_COLUMNS:,} are read"
            raise _Refused([self._error(head[0].line, 0, message, "choose some of them before")])
        return head

    def _names(self, head: list[dialect.Row]) -> tuple[list[str], list[dialect.Row]]:
        """Names of columns, unique, and the rows of the sample: all where there is no header."""
        if not dialect.is_header(head[0].cells):
            self._notes.append("no header: columns are called by their number")
            return [str(at + 1) for at in range(max(len(row.cells) for row in head[:50]))], head
        counts: dict[str, int] = {}
        names = []
        for cell in head[0].cells:
            name = cell.strip().strip("\ufeff")
            counts[name] = counts.get(name, 0) + 1
            names.append(name if counts[name] == 1 or not name else f"{name} ({counts[name]})")
        if all(row.cells == head[0].cells for row in head):
            raise _Refused([self._error(head[0].line, 0, "has a header and no rows", "rows of a time and a value")])
        return names, [row for row in head[1:] if row.cells != head[0].cells]  # joined exports repeat it

    def _table(self, rows: Iterable[dialect.Row], columns: Columns, header: list[str] | None) -> _Columnar:
        texts = (*columns.by, *columns.maybe)
        table = _Columnar(values=[[] for _ in columns.values], texts=[[] for _ in texts])
        known: dict[str, str] = {}  # texts repeat: each is kept once
        clock, most = columns.clock, min(MOST_ROWS, MOST_CELLS // max(len(columns.values), 1))
        try:
            for row in rows:
                cells = row.cells
                if cells == header:
                    continue
                if len(table.lines) >= most:
                    message = f"has more than {most:,} rows"
                    raise _Refused([self._error(row.line, 0, message, "split it, or name fewer columns with --value")])
                width = len(cells)
                table.lines.append(row.line)
                at = cells[columns.time].strip() if columns.time < width else ""
                table.times.append(f"{at} {cells[clock].strip()}" if clock is not None and clock < width else at)
                for column, kept in zip(columns.values, table.values, strict=True):
                    kept.append(cells[column] if column < width else "")
                for column, kept in zip(texts, table.texts, strict=True):
                    cell = cells[column].strip() if column < width else ""
                    kept.append(known.setdefault(cell, cell))
        except csv.Error as error:
            line = table.lines[-1] + 1 if table.lines else 1
            raise _Refused([self._error(line, 0, f"is no CSV: {error}", "cells in quotes end with a quote")]) from None
        return table

    # --- cells -------------------------------------------------------------------------------------------------------

    def _file(self, table: _Columnar, names: Sequence[str], columns: Columns, *, comma: bool) -> CsvFile:
        seconds = self._seconds(table, names, columns)
        values = [self._numbers(table, at, names, columns, comma=comma) for at in range(len(columns.values))]
        columns_by, keys = split(table.texts, len(columns.by), seconds, several=len(columns.values) > 1)
        texts = (*columns.by, *columns.maybe)
        by = tuple(names[texts[each]] for each in columns_by)
        series = self._series(keys, seconds, values, [names[each] for each in columns.values])
        self._tell_unused(names, columns)
        return CsvFile(
            path=self._path,
            times=tuple(table.times),
            lines=table.lines,
            series=series,
            time_column=names[columns.time],
            value_columns=tuple(names[each] for each in columns.values),
            by_columns=by,
            notes=tuple(self._notes),
            problems=tuple(self._warnings),
        )

    def _tell_unused(self, names: Sequence[str], columns: Columns) -> None:
        if columns.unused:
            shown = ", ".join(names[each] for each in columns.unused[:5])
            more = f" and {len(columns.unused) - 5} more" if len(columns.unused) > 5 else ""
            scored = names[columns.values[0]]
            self._notes.append(f"{scored} is scored, and not {shown}{more}: --value COLUMN chooses others")

    def _seconds(self, table: _Columnar, names: Sequence[str], columns: Columns) -> Seconds:
        found = times(table.times)
        strange = np.flatnonzero(~np.isfinite(found.seconds))
        name = names[columns.time]
        if len(strange) > _MOST_STRANGE * len(table.times):
            at = int(strange[0])
            message = f"`{table.times[at][:40]}` in column {name} is no time, nor are most others"
            raise _Refused([self._error(table.lines[at], columns.time, message, _TIME_HINT)])
        messages = [
            f"`{table.times[int(at)][:40]}` is no time: the row is not scored" for at in strange[:_MOST_PROBLEMS]
        ]
        places = [(table.lines[int(at)], columns.time) for at in strange[:_MOST_PROBLEMS]]
        self._warn(places, messages, len(strange), "times cannot be read", _TIME_HINT)
        if not found.is_local.any():
            return found.seconds
        zone = self._asked.zone
        moved = in_utc(np.where(found.is_local, found.seconds, np.nan), ZoneInfo(zone))
        if moved is None:
            self._notes.append(f"times are UTC: some lie in the hour that {zone} leaves out in spring")
            return found.seconds
        return np.where(found.is_local, moved, found.seconds)

    def _numbers(
        self, table: _Columnar, at: int, names: Sequence[str], columns: Columns, *, comma: bool
    ) -> Numbers:  # fmt: skip
        cells, column = table.values[at], columns.values[at]
        found, strange = numbers(cells, decimal_comma=comma)
        there = int(np.isfinite(found).sum()) + len(strange)
        hint = "a number such as 12.5, without a unit; an empty cell or NaN where there is none"
        if len(strange) > _MOST_STRANGE * there:
            place = int(strange[0])
            message = f"`{cells[place].strip()[:40]}` in column {names[column]} is no number, nor are most others"
            raise _Refused([self._error(table.lines[place], column, message, hint)])
        shown = strange[:_MOST_PROBLEMS]
        messages = [f"`{cells[int(each)].strip()[:40]}` is no number: the row is not scored" for each in shown]
        places = [(table.lines[int(each)], column) for each in shown]
        self._warn(places, messages, len(strange), f"cells of {names[column]} are no numbers", hint)
        return found

    def _series(
        self, keys: Sequence[tuple[str, Places]], seconds: Seconds, values: Sequence[Numbers], names: Sequence[str]
    ) -> tuple[Cells, ...]:
        found: list[Cells] = []
        empty: list[Cells] = []
        for key, rows in keys:
            for name, column in zip(names, values, strict=True):
                called = " ".join(part for part in (key, name if len(names) > 1 else "") if part)
                cells = Cells(called, rows, seconds[rows], column[rows])
                is_empty = not np.isfinite(cells.values[np.isfinite(cells.seconds)]).any()
                (empty if is_empty and len(names) > 1 else found).append(cells)
        if empty:
            shown = ", ".join(each.name for each in empty[:5])
            self._notes.append(f"no numbers in {shown}{f' and {len(empty) - 5} more' if len(empty) > 5 else ''}")
        if not any(np.isfinite(each.values).any() for each in found):
            raise _Refused([self._error(1, 0, "has no value at a time", "rows of a time and a value")])
        return tuple(found)

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def _error(self, line: int, column: int, message: str, hint: str) -> Problem:
        return Problem(self._path, line, self._at(line, column), "", message, hint=hint)

    def _at(self, line: int, column: int) -> int:
        return dialect.place_of(self._text, line, self._separator, column)

    def _warn(
        self, places: Sequence[tuple[int, int]], messages: Sequence[str], count: int, kind: str, hint: str
    ) -> None:
        for number, ((line, column), message) in enumerate(zip(places, messages, strict=True)):
            is_last = number == len(messages) - 1
            more = f" ({count:,} {kind})" if is_last and count > len(messages) else ""
            self._warnings.append(
                Problem(
                    self._path, line, self._at(line, column), "", message + more, severity=Severity.WARNING, hint=hint
                )
            )
