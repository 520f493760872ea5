"""Days and weeks of a time zone, for rows whose times are seconds since an origin."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]
_DAY: Final = 86400
_WEEK: Final = 7
_MICROSECONDS: Final = Decimal(86_400_000_000)


@dataclass(frozen=True, eq=False)
class Days:
    """The days of [start, end) as bins.

    Where both ends are midnights of the time zone, its calendar days, of 23 to 25 hours; else 24 hours each from the
    start on, the last one shorter. `length` is how many days long it is.
    """

    origin: datetime
    start: datetime
    edges: Numbers  # seconds since the origin at which bins begin, and the last one's end
    length: Decimal

    @property
    def count(self) -> int:
        """How many bins."""
        return len(self.edges) - 1

    def of(self, times: Numbers) -> npt.NDArray[np.intp]:
        """The bin of each time."""
        if self.is_even:
            even: npt.NDArray[np.intp] = ((times - self.edges[0]) // _DAY).astype(np.intp)
            return even
        return np.searchsorted(self.edges, times, side="right") - 1

    @property
    def is_even(self) -> bool:
        """Whether all bins but the last have 24 hours."""
        return bool((np.diff(self.edges)[:-1] == _DAY).all())


def days(origin: datetime, start: datetime, end: datetime, zone: ZoneInfo) -> Days:
    """The days of [start, end)."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    if first.time() == last.time() == time.min:
        edges = [_midnight(first.date() + timedelta(days=at), zone) for at in range((last.date() - first.date()).days)]
        return Days(origin, start, _seconds([*edges, end], origin), Decimal(len(edges)))
    length = end - start
    count = -(-length // timedelta(days=1))
    edges = [start + timedelta(days=at) for at in range(count)]
    exact = Decimal(length // timedelta(microseconds=1)) / _MICROSECONDS
    return Days(origin, start, _seconds([*edges, end], origin), exact)


@dataclass(frozen=True, eq=False)
class Weeks:
    """Weeks of the time zone, from Monday on, that overlap [start, end); `mondays` and when they begin."""

    mondays: tuple[date, ...]
    edges: Numbers

    def of(self, times: Numbers) -> npt.NDArray[np.intp]:
        """The week of each time."""
        return np.searchsorted(self.edges, times, side="right") - 1


def weeks(origin: datetime, start: datetime, end: datetime, zone: ZoneInfo) -> Weeks:
    """Those of [start, end); the first and the last may be cut by it."""
    first = start.astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())
    mondays: list[date] = []
    while _midnight(monday, zone) < end:
        mondays.append(monday)
        monday += timedelta(days=_WEEK)
    return Weeks(tuple(mondays), _seconds([_midnight(one, zone) for one in mondays], origin))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When that day begins. Where midnight is skipped, the first moment after."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _seconds(times: list[datetime], origin: datetime) -> Numbers:
    return np.array([-((origin - at) // timedelta(seconds=1)) for at in times], np.int32)
