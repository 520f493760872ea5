"""Traffic as people export it: a CSV with a time, units of work, and perhaps users."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from statistics import median_low
from typing import Final

from controlplane.problems import Problem
from finops.ladder.simulation.spend_entries import Charge

LONGEST_BYTES: Final = 64 * 1024 * 1024
_MOST_PROBLEMS: Final = 20
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """What happened from a moment on, until the next row."""

    at: datetime
    units: Decimal
    users: Decimal | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Rows in the order of time, each `step` long at most."""

    rows: tuple[Row, ...]
    step: timedelta
    problems: tuple[Problem, ...] = ()

    def units(self) -> Iterator[Charge]:
        """Units of each row over its time."""
        for row, until in self._spans():
            yield Charge(row.at, until, row.units)

    def users(self) -> Iterator[tuple[datetime, datetime, Decimal]]:
        """How many users there were, by time; without a column `users`, units a minute."""
        for row, until in self._spans():
            minutes = Decimal((until - row.at) // timedelta(seconds=1)) / 60
            yield row.at, until, row.units / minutes if row.users is None else row.users

    @property
    def has_users(self) -> bool:
        """Whether users were counted."""
        return any(row.users is not None for row in self.rows)

    def _spans(self) -> Iterator[tuple[Row, datetime]]:
        for row, following in pairwise(self.rows):
            yield row, min(following.at, row.at + self.step)
        for row in self.rows[-1:]:
            yield row, row.at + self.step


def read_traffic(path: str, content: bytes) -> Traffic:
    """Columns `time` (RFC 3339, UTC where it names no zone) and `units`, optionally `users`; any others are ignored.

    Rows may be an hour apart or less. A row that cannot be read is a problem, with its line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _refused(path, 1, "is not UTF-8")
    reader = csv.reader(io.StringIO(text))
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        return _refused(path, reader.line_num, f"is no CSV: {error}")
    if not lines:
        return _refused(path, 1, "is empty")
    names = [cell.strip().lower() for cell in lines[0][1]]
    if missing := [name for name in ("time", "units") if name not in names]:
        return _refused(path, 1, f"has no column {' and no column '.join(missing)}")
    return _read(path, {name: names.index(name) for name in ("time", "units", "users") if name in names}, lines[1:])


def _read(path: str, columns: Mapping[str, int], lines: Sequence[tuple[int, list[str]]]) -> Traffic:
    rows: dict[datetime, Row] = {}
    problems: list[Problem] = []
    for line, cells in lines:
        try:
            row = _row(columns, cells)
            if row.at in rows:
                raise ValueError(f"the time {row.at:%Y-%m-%dT%H:%M:%SZ} is there twice")
            rows[row.at] = row
        except ValueError as error:
            problems.append(_problem(path, line, str(error)))
    if not rows and not problems:
        problems.append(_problem(path, 1, "has no rows"))
    ordered = tuple(rows[at] for at in sorted(rows))
    gaps = [after.at - before.at for before, after in pairwise(ordered)]
    step = min(median_low(gaps), _HOUR) if gaps else _HOUR
    return Traffic(ordered, max(step, _MINUTE), tuple(problems[:_MOST_PROBLEMS]))


def _row(columns: Mapping[str, int], cells: Sequence[str]) -> Row:
    def cell(name: str) -> str:
        place = columns.get(name)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    users = cell("users")
    return Row(_time(cell("time")), _number(cell("units"), "units"), _number(users, "users") if users else None)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"`{text[:40]}` is no time such as 2026-11-02T07:00:00Z") from None


def _number(text: str, column: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0 or number.adjusted() > 15:
        raise ValueError(f"`{text[:40]}` is no number of {column}")
    return number


def _refused(path: str, line: int, message: str) -> Traffic:
    return Traffic((), _HOUR, (_problem(path, line, message),))


def _problem(path: str, line: int, message: str) -> Problem:
    return Problem(
        path, line, 1, "", message, hint="a header time,units or time,units,users, and a row an hour or less"
    )
