"""The header of a CSV file: its names and where each of them stands; what tells that it is no such header."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import did_you_mean
from finops.billed.columns import REQUIRED, duplicates_in, missing_in, schema_of

_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
MAX_COLUMNS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Header:
    """Column names as written; `columns` are their places in the line, counted from 1 in characters."""

    names: tuple[str, ...]
    columns: tuple[int, ...]


def header_of(text: str) -> Header:
    """The first record of a CSV text (without byte order mark)."""
    try:
        record = next(csv.reader(io.StringIO(text)), [])
    except csv.Error:
        record = []
    places, at = [], 0
    for name in record:
        found = text.find(name, at)
        places.append(max(found, at) + 1)
        at = max(found, at) + len(name)
    return Header(tuple(record), tuple(places))


def header_problems(path: str, header: Header) -> Iterator[Problem]:
    """Everything that keeps the file from being read as cost and usage data."""
    if not any(name.strip() for name in header.names):
        yield Problem(path, 1, 1, "", "the file has no header", hint=_FIRST_LINE, rule="csv-header")
        return
    separator = _other_separator(header)
    if separator:
        message = f"fields are separated by {_OTHER_SEPARATORS[separator]}, not by commas"
        yield Problem(
            path, 1, 1, "", message, hint="FOCUS files are comma-separated: export again", rule="csv-delimiter"
        )
        return
    if len(header.names) > MAX_COLUMNS:
        yield Problem(path, 1, 1, "", f"{len(header.names)} columns; {MAX_COLUMNS} at most are read", rule="csv-header")
        return
    for place, name in duplicates_in(header.names):
        column = header.columns[place - 1]
        yield Problem(path, 1, column, name.strip(), "a second column of this name", rule="duplicate-column")
    yield from missing_problems(path, header.names, list(header.columns))


def missing_problems(path: str, names: tuple[str, ...], columns: list[int]) -> Iterator[Problem]:
    """Required columns that are not there, each with the column that may have been meant."""
    for name, meant in missing_in(schema_of([(each, "VARCHAR") for each in names]), names):
        column = columns[names.index(meant)] if meant else 1
        hint = f"did you mean `{meant}` to be it?" if meant else _required()
        yield Problem(path, 1, column, name, "the column is missing", hint=hint, rule="missing-column")


_FIRST_LINE: Final = "the first line of a FOCUS file names its columns, such as BilledCost"


def _required() -> str:
    return f"FOCUS requires {', '.join(REQUIRED)}"


def _other_separator(header: Header) -> str:
    """The separator, when the header is one field that another separator would cut into columns that we know."""
    if len(header.names) > 1:
        return ""
    for separator in _OTHER_SEPARATORS:
        parts = [part.strip().strip('"') for part in header.names[0].split(separator)]
        if len(parts) > 1 and any(did_you_mean(part, REQUIRED) for part in parts):
            return separator
    return ""
