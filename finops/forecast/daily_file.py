"""A CSV file of `day,amount`: spend that somebody else added up."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from controlplane.problems import Problem
from finops.forecast.model import WHOLE, DailySpend

LONGEST_BYTES: Final = 16 * 1024 * 1024
_MOST_PROBLEMS: Final = 100
_RULE: Final = "daily-spend"
_LARGEST: Final = Decimal(10) ** 18
_COLUMNS: Final = ("day", "amount")


@dataclass(frozen=True, slots=True)
class DailyFile:
    """Days in order, or everything that is wrong with the file."""

    days: tuple[DailySpend, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_daily_file(path: str, content: bytes) -> DailyFile:
    """`day,amount` with a header; `day` as 2026-11-30, `amount` a decimal, empty where nothing was recorded.

    Further columns are allowed and ignored. A day may stand only once.
    """
    if len(content) > LONGEST_BYTES:
        return DailyFile(problems=(_problem(path, 1, "", f"is larger than {LONGEST_BYTES // 1024 // 1024} MiB"),))
    try:
        text = content.decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return DailyFile(problems=(_problem(path, line, "", "is not UTF-8 text"),))
    except csv.Error as error:
        return DailyFile(problems=(_problem(path, 1, "", f"is not CSV: {error}"),))
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        message = f"the first line must name the columns day and amount; {' and '.join(missing)} is missing"
        return DailyFile(problems=(_problem(path, 1, "", message),))
    return _days(path, rows[1:], header)


def _days(path: str, rows: list[tuple[int, list[str]]], header: list[str]) -> DailyFile:
    found: dict[date, DailySpend] = {}
    problems: list[Problem] = []
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(problems) >= _MOST_PROBLEMS:
            break
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        read = list(_faults(path, line, cells))
        problems.extend(read)
        if not read:
            day = date.fromisoformat(cells["day"])
            if day in found:
                problems.append(_problem(path, line, "day", f"{day} stands twice; add its amounts up"))
            found[day] = DailySpend(day, Decimal(cells["amount"]) if cells.get("amount") else None, WHOLE)
    if not problems and not found:
        problems.append(_problem(path, 1, "", "holds no days"))
    return DailyFile(problems=tuple(problems)) if problems else DailyFile(tuple(found[day] for day in sorted(found)))


def _faults(path: str, line: int, cells: dict[str, str]) -> Iterator[Problem]:
    try:
        date.fromisoformat(cells.get("day", ""))
    except ValueError:
        yield _problem(path, line, "day", f"`{_shown(cells.get('day', ''))}` is no day such as 2026-11-30")
    amount = cells.get("amount", "")
    try:
        is_fine = not amount or (Decimal(amount).is_finite() and abs(Decimal(amount)) < _LARGEST)
    except InvalidOperation:
        is_fine = False
    if not is_fine:
        yield _problem(path, line, "amount", f"`{_shown(amount)}` is no amount such as 12.50")


def _shown(text: str) -> str:
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return printable if len(printable) <= 40 else printable[:39] + "…"


def _problem(path: str, line: int, field: str, message: str) -> Problem:
    return Problem(path, line, 1, field, message, rule=_RULE)
