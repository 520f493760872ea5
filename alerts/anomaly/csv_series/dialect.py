"""What separates cells, where the header is, and what comes before it."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from alerts.anomaly.csv_series.numbers import number
from alerts.anomaly.csv_series.times import looks_like_times

_SEPARATORS: Final = (",", ";", "\t", "|")
_SAMPLE_LINES: Final = 60
_COMMENT: Final = "#"


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a row, and the line at which it ends, from 1."""

    line: int
    cells: list[str]


def separator_of(text: str) -> str:
    """The one that cuts the first lines into as many cells each, more than one; a comma where none does."""
    head = text[:200_000].removeprefix("\ufeff")
    first = head.split("\n", 1)[0].strip().strip('"')
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4]
    best, most = ",", 0.0
    for separator in _SEPARATORS:
        widths = _widths(head, separator)
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        if usual > 1 and (share := widths.count(usual) / len(widths) + min(usual, 50) / 1000) > most:
            best, most = separator, share
    return best


def _widths(head: str, separator: str) -> list[int]:
    """Cells of the first rows, as far as they can be cut with this separator."""
    found: list[int] = []
    with suppress(csv.Error):  # a cell without an end, or one that is all of a long line
        found.extend(len(row.cells) for row in itertools.islice(_rows(head, separator), _SAMPLE_LINES))
    return found


def rows_of(text: str, separator: str) -> Iterator[Row]:
    """Rows with anything in them; comments (`#`) and the line `sep=` are left out. Raises `csv.Error`."""
    return _rows(text.removeprefix("\ufeff"), separator)


def _rows(text: str, separator: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if not cells or not any(cells):
            continue
        first = cells[0]
        if first.startswith(_COMMENT) or (reader.line_num == 1 and first.lower().startswith("sep=")):
            continue
        yield Row(reader.line_num, cells)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: some cell is no number, and none is a time."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if any(looks_like_times([cell]) for cell in filled):
        return False
    return any(number(cell, decimal_comma=False) is None for cell in filled)


def place_of(text: str, line: int, separator: str, cell: int) -> int:
    """The character, from 1, at which a cell (from 0) of a line begins; 1 where the line has fewer cells."""
    found = next(itertools.islice(io.StringIO(text), line - 1, line), "")
    at, is_quoted = 0, False
    for _ in range(cell):
        while at < len(found) and (is_quoted or found[at] != separator):
            is_quoted ^= found[at] == '"'
            at += 1
        at += 1
    return at + 1 if at < len(found) else 1
