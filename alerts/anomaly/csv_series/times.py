"""Cells as times: seconds, milli-, micro- and nanoseconds after the epoch, ISO 8601, and what spreadsheets write."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import Flags, Seconds

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- clock times that name no zone
_AWARE_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (math.inf, 1e9))  # below that many they are so many a second
_EARLIEST, _LATEST = -2.0e9, 7.3e9  # 1906 … 2201
_COMPACT: Final = re.compile(
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?(?:[0-5]\d){0,2}"
)
_COMPACT_LENGTHS: Final = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_CLOCK: Final = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[-+]\d{2}:?\d{2})?(?:\s*\(?[A-Z]{1,5}\)?)?"
)
_YEAR_FIRST: Final = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK)
_YEAR_LAST: Final = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK)
_WEEKDAY: Final = r"(?:[A-Za-z]{3,9},? )?"
_DAY_MONTH: Final = re.compile(
    _WEEKDAY + r"(?P<day>\d{1,2})[- ](?P<month>[A-Za-z]{3})[a-z]*[- ,]+(?P<year>\d{4})" + _CLOCK
)
_MONTH_DAY: Final = re.compile(
    _WEEKDAY + r"(?P<month>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4})" + _CLOCK
)
_FORMS: Final = (_YEAR_FIRST, _YEAR_LAST, _DAY_MONTH, _MONTH_DAY)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SAMPLE: Final = 2_000
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Times:
    """`seconds` (n,) after the epoch, NaN where a cell is no time; `is_local` (n,) where it named no zone.

    Of local ones the seconds are those of a clock in UTC: `alerts.anomaly.csv_series.zones` moves them.
    """

    seconds: Seconds
    is_local: Flags


def times(cells: Sequence[str]) -> Times:
    """Read a column. What decides for all of it (units, day or month first) is what its first cells say."""
    sample = [cell for cell in cells[:_SAMPLE] if cell]
    if sample and sum(1 for each in sample if _COMPACT.fullmatch(each)) >= 0.9 * len(sample):
        return _read(cells, _compact)
    numeric = [found for each in sample if (found := _float(each)) is not None]
    if len(numeric) >= 0.5 * len(sample) and sample:
        return _epochs(cells, _unit(numeric))
    return _read(cells, _text_reader(sample))


def looks_like_times(cells: Sequence[str]) -> float:
    """The share of the cells that are texts of a time, or numbers of seconds after the epoch since 1990."""
    sample = [cell for cell in cells[:_SAMPLE] if cell]
    if not sample:
        return 0.0
    found = times(sample).seconds
    return float(np.mean((found > 6.3e8) & (found < _LATEST)))


def _float(cell: str) -> float | None:
    try:
        found = float(cell)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _unit(numeric: Sequence[float]) -> float:
    middle = float(np.median(np.abs(numeric)))
    return next(each for most, each in _UNITS if middle < most)


def _epochs(cells: Sequence[str], unit: float) -> Times:
    try:
        seconds = np.array(list(map(float, cells)), dtype=np.float64) / unit
    except ValueError:
        seconds = np.array([math.nan if (found := _float(each)) is None else found / unit for each in cells])
    seconds[~((seconds > _EARLIEST) & (seconds < _LATEST))] = np.nan
    return Times(seconds, np.zeros(len(cells), dtype=np.bool_))


def _read(cells: Sequence[str], reader: Callable[[str], datetime | None]) -> Times:
    seconds = np.full(len(cells), np.nan)
    is_local = np.zeros(len(cells), dtype=np.bool_)
    for place, cell in enumerate(cells):
        found = reader(cell)
        if found is None:
            continue
        if found.tzinfo is None:
            is_local[place] = True
            seconds[place] = (found - _EPOCH).total_seconds()
        else:
            seconds[place] = (found - _AWARE_EPOCH).total_seconds()
    seconds[~((seconds > _EARLIEST) & (seconds < _LATEST))] = np.nan
    return Times(seconds, is_local)


def _compact(cell: str) -> datetime | None:
    form = _COMPACT_LENGTHS.get(len(cell))
    try:
        return datetime.strptime(cell, form) if form else None  # noqa: DTZ007 -- it names no zone
    except ValueError:
        return None


def _text_reader(sample: Sequence[str]) -> Callable[[str], datetime | None]:
    month_first = _is_month_first(sample)

    def read(cell: str) -> datetime | None:
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            return _spelled(cell, month_first=month_first)

    return read


def _is_month_first(sample: Sequence[str]) -> bool:
    """Of dates that end with their year: the order in which they make sense, else that which lets rows be nearer."""
    pairs = [(int(match["a"]), int(match["b"])) for each in sample if (match := _YEAR_LAST.fullmatch(each))]
    if any(first > 12 for first, _ in pairs):
        return False
    if any(second > 12 for _, second in pairs):
        return True
    if any("." in each for each in sample[:1]):  # 01.12.2026 is written where days come first
        return False
    if any(re.search(r"[AaPp]\.?[Mm]", each) for each in sample[:1]):
        return True
    spans = {
        order: float(np.nansum(np.abs(np.diff(_read(sample, partial(_spelled, month_first=order)).seconds))))
        for order in (False, True)
    }
    return spans[True] < spans[False]


def _spelled(cell: str, *, month_first: bool) -> datetime | None:
    text = cell.strip()
    if len(text) > _LONGEST:
        return None
    match = next((it for form in _FORMS if (it := form.fullmatch(text))), None)
    try:
        return _put_together(match.groupdict(), month_first=month_first) if match else None
    except (ValueError, OverflowError):
        return None


def _put_together(parts: Mapping[str, str | None], *, month_first: bool) -> datetime:
    month, day = _month_and_day(parts, month_first=month_first)
    hour = int(parts["hour"] or 0)
    if half := parts["half"]:
        hour = hour % 12 + (12 if half in "pP" else 0)
    micro = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    zone = None if parts["zone"] is None else _zone(parts["zone"])
    minute, second = int(parts["minute"] or 0), int(parts["second"] or 0)
    return datetime(int(parts["year"] or 0), month, day, hour, minute, second, micro, tzinfo=zone)


def _month_and_day(parts: Mapping[str, str | None], *, month_first: bool) -> tuple[int, int]:
    if month := parts.get("month"):
        number = int(month) if month.isdecimal() else _MONTHS.index(month.lower()) + 1
        return number, int(parts["day"] or 0)
    first, second = int(parts["a"] or 0), int(parts["b"] or 0)
    return (first, second) if month_first else (second, first)


def _zone(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(offset if text[0] == "+" else -offset)
