"""Which columns hold the time, the values, and what tells series apart: by name first, then by content."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from alerts.anomaly.csv_series.model import Asked
from alerts.anomaly.csv_series.numbers import MISSING, number
from alerts.anomaly.csv_series.times import looks_like_times

_TIMES: Final = (
    "timestamp", "timestamps", "time", "datetime", "ts", "unixtime", "unixtimestamp", "epoch", "date", "ds", "t",
    "timeutc", "utctime", "localtime", "starttime", "start", "eventtime", "collectiontime", "timestampms", "timems",
    "when", "at", "clock", "x",
)  # fmt: skip
_VALUES: Final = ("value", "values", "metricvalue", "val", "y")
_SERIES: Final = (
    "kpiid", "kpi", "kpiname", "series", "seriesid", "seriesname", "metric", "metricname", "name", "measurement",
    "field", "host", "hostname", "instance", "job", "service", "servicename", "pod", "container", "device", "node",
    "region", "cluster", "namespace", "sensor", "sensorid", "cmdbid", "entity", "item", "itemid", "key", "variable",
    "endpoint", "app", "application", "id", "lineid", "kpiidentifier", "tag", "target", "unit", "group",
)  # fmt: skip
_NEVER: Final = (
    "label", "labels", "isanomaly", "isanomalous", "anomaly", "anomalies", "anomalous", "outlier", "outliers",
    "isoutlier", "groundtruth", "gt", "truth", "class", "anomalyscore", "rawscore", "score", "isanom", "flag",
    "missing", "index", "row", "rowid", "rownumber", "no", "yhat", "yhatlower", "yhatupper", "changepoint",
    "rewardlowfprate", "rewardlowfnrate", "standard", "result", "table", "stop", "prediction", "predictions", "id",
    "lineid", "itemid",
)  # fmt: skip
_TEXT_SHARE: Final = 0.8  # of the cells that are there must be numbers in a column of values
_TIME_SHARE: Final = 0.9
_MOST_TEXT_COLUMNS: Final = 20


class Kind(Enum):
    """What cells of a column are, by a sample."""

    EMPTY = "empty"
    NUMBERS = "numbers"
    TEXT = "text"


class Unclear(Exception):
    """Says what is missing and what would help; `column` is its number from 0, or None."""

    def __init__(self, message: str, hint: str, column: int | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.column = column


@dataclass(frozen=True, slots=True)
class Columns:
    """By number from 0. `clock`: where the time of day stands apart from the date. `maybe`: texts that may tell
    series apart if times are there several times without them.
    """

    time: int
    clock: int | None
    values: tuple[int, ...]
    by: tuple[int, ...]
    maybe: tuple[int, ...]
    unused: tuple[int, ...]  # further columns of numbers


def plain(name: str) -> str:
    """A name without case, blanks and signs: `KPI ID` → `kpiid`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def columns_of(names: Sequence[str], sample: Sequence[Sequence[str]], asked: Asked, *, comma: bool) -> Columns:
    """Choose. `comma`: numbers may have a decimal comma. Raises `Unclear`."""
    cells = [[row[at].strip() if at < len(row) else "" for row in sample] for at in range(len(names))]
    kinds = [_kind(column, comma=comma) for column in cells]
    asked_by = tuple(_named(names, each, "--by") for each in asked.by)
    asked_values = tuple(dict.fromkeys(_named(names, each, "--value") for each in asked.values))
    time, clock = _time(names, cells, asked, (*asked_by, *asked_values))
    taken = {time, clock, *asked_by, *asked_values}
    by = asked_by or tuple(
        at for at, name in enumerate(names)
        if at not in taken and _tells_series(name, kinds[at], cells[at])
    )  # fmt: skip
    taken.update(by)
    numeric = tuple(
        at for at, kind in enumerate(kinds)
        if at not in taken and kind is not Kind.TEXT and plain(names[at]) not in _NEVER and names[at]
    )  # fmt: skip
    values = asked_values or _values(names, numeric, kinds)
    if not values:
        raise Unclear("no column of numbers", "name it with --value COLUMN")
    unused = tuple(at for at in numeric if at not in values and kinds[at] is Kind.NUMBERS)
    texts = [at for at, kind in enumerate(kinds) if kind is Kind.TEXT and at not in taken and at not in values]
    maybe = () if asked.by else tuple(texts[:_MOST_TEXT_COLUMNS])
    return Columns(time, clock, values, by, maybe, unused)


def _kind(cells: Sequence[str], *, comma: bool) -> Kind:
    there = [cell for cell in cells if cell.lower() not in MISSING]
    if not there:
        return Kind.EMPTY
    read = sum(1 for cell in there if number(cell, decimal_comma=comma) is not None)
    return Kind.NUMBERS if read >= _TEXT_SHARE * len(there) else Kind.TEXT


def _named(names: Sequence[str], asked: str, option: str) -> int:
    """By name, by name in any case, by number from 1."""
    exact = [at for at, name in enumerate(names) if name == asked]
    alike = [at for at, name in enumerate(names) if plain(name) == plain(asked) and plain(asked)]
    if exact or alike:
        return (exact or alike)[0]
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    there = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    raise Unclear(f"no column is named `{asked[:80]}`", f"{option}: there is {there}")


def _time(
    names: Sequence[str], cells: Sequence[Sequence[str]], asked: Asked, taken: Sequence[int]
) -> tuple[int, int | None]:
    if asked.time:
        at = _named(names, asked.time, "--time")
        return at, None
    known = sorted(
        (at for at, name in enumerate(names) if at not in taken and _time_rank(name) is not None),
        key=lambda at: (_time_rank(names[at]) or 0, at),
    )
    if apart := _date_and_clock(known, cells):
        return apart
    readable = [at for at in known if _reads(cells[at])]
    if readable:
        return readable[0], None
    others = [at for at in range(len(names)) if at not in taken]
    found = [(looks_like_times(cells[at]), -at) for at in others if plain(names[at]) not in _NEVER]
    if found and (best := max(found))[0] >= _TIME_SHARE:
        return -best[1], None
    if known:
        shown = next((cell for cell in cells[known[0]] if cell), "")
        raise Unclear(
            f"`{shown[:40]}` in column {names[known[0]]} is no time",
            "ISO 8601 such as 2026-11-30T12:00:00Z, or seconds or milliseconds after the epoch",
            known[0],
        )
    raise Unclear("no column of times", "name it with --time COLUMN: ISO 8601, or seconds after the epoch")


def _time_rank(name: str) -> int | None:
    """How sure a name says time, 0 the surest."""
    bare = plain(name)
    if bare in _TIMES:
        return _TIMES.index(bare)
    return len(_TIMES) if bare.startswith(("timestamp", "time", "datetime", "date")) else None


def _reads(cells: Sequence[str]) -> bool:
    """Whether most of a column called time can be read as one; small numbers are seconds, too."""
    from alerts.anomaly.csv_series.times import times

    there = [cell for cell in cells if cell]
    return bool(there) and sum(1 for each in times(there).seconds if each == each) >= 0.5 * len(there)


_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[AaPp][Mm])?")
_DATE: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{8}")


def _date_and_clock(known: Sequence[int], cells: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """A column of dates and one of times of day."""

    def only(form: "re.Pattern[str]") -> list[int]:
        return [at for at in known if any(cells[at]) and all(form.fullmatch(cell) for cell in cells[at] if cell)]

    dates, clocks = only(_DATE), only(_CLOCK)
    return (dates[0], clocks[0]) if dates and clocks else None


def _tells_series(name: str, kind: Kind, cells: Sequence[str]) -> bool:
    """Whether a column's name says that it names series, and its cells repeat."""
    if plain(name) not in _SERIES or kind is Kind.EMPTY:
        return False
    there = [cell for cell in cells if cell]
    distinct = len(set(there))
    return distinct == 1 or distinct <= len(there) / 2 or (kind is Kind.TEXT and distinct <= len(there) / 1.5)


def _values(names: Sequence[str], numeric: Sequence[int], kinds: Sequence[Kind]) -> tuple[int, ...]:
    """The one that is called value, else all of numbers (and those that are empty for now, among others)."""
    for wanted in _VALUES:
        for at in numeric:
            if plain(names[at]) == wanted:
                return (at,)
    return tuple(numeric) if any(kinds[at] is Kind.NUMBERS for at in numeric) else ()
