"""The same phase of earlier days and weeks, in local time: how many steps ago it was.

A day has 23 or 25 hours when clocks change, so that yesterday's nine o'clock is 23 or 25 hours ago; who compares with
24 hours ago is an hour off for seven days, and tells of that.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Grid, Phases
from alerts.anomaly.detector.utc import DAYS, WEEKS

NO_DAYS: Final[Mapping[date, int | None]] = MappingProxyType({})
LOOK_BACK: Final = timedelta(days=70)
"""How far back comparable days are looked for: seven Sundays, and some that are special."""
_DAY: Final = 86_400
_WEEK: Final = 7
_EPOCH: Final = date(1970, 1, 1).toordinal()
Seconds: TypeAlias = NDArray[np.int64]


def phases(grid: Grid, zone: ZoneInfo, special: Mapping[date, int | None] = NO_DAYS) -> Phases:
    """Lags to comparable steps by the clocks of `zone` (from `controlplane.calendar.zones.zone`).

    `special` are days that are not learnt from, with the weekday that each resembles (0 Monday … 6 Sunday; None: it is
    compared like any other day). No other day is compared with them; one that is like Sundays is compared with the last
    seven of them, weekly with the last four.

    0 where there is none: it lies before the grid, is more than 70 days ago, or clocks skipped that time on that day.
    What a clock showed twice is either of both. Where a change of clocks is no whole number of steps, the nearest step
    counts. A step's lags do not depend on what comes after it.
    """
    step = grid.step // timedelta(seconds=1)
    if grid.count <= 0:
        return Phases(np.zeros((0, DAYS), np.int32), np.zeros((0, WEEKS), np.int32))
    moments = _moments(grid)
    changes = _offsets(zone, int(moments[0]), int(moments[-1]))
    offsets = _offset_at(moments, changes)
    local = moments + offsets
    days = local // _DAY
    table = _day_lags(int(days.min()), int(days.max()), special)
    lags = table[days - days.min()] * _DAY
    if len(changes) > 1:
        changed = int(np.searchsorted(moments, changes[1][0]))
        lags[changed:] = _by_clocks(local[changed:], offsets[changed:], lags[changed:], changes)
    steps = (2 * lags + step) // (2 * step)
    steps[steps > np.arange(grid.count)[:, None]] = 0
    found = steps.astype(np.int32)
    return Phases(np.ascontiguousarray(found[:, :DAYS]), np.ascontiguousarray(found[:, DAYS:]))


def local_days(grid: Grid, zone: ZoneInfo) -> Seconds:
    """The local day in which each step begins, as `date.toordinal` has it: (T,)."""
    if grid.count <= 0:
        return np.zeros(0, np.int64)
    moments = _moments(grid)
    changes = _offsets(zone, int(moments[0]), int(moments[-1]))
    return (moments + _offset_at(moments, changes)) // _DAY + _EPOCH


def _moments(grid: Grid) -> Seconds:
    """When steps begin, in seconds since the epoch."""
    return (np.arange(grid.count, dtype=np.int64) + grid.first) * (grid.step // timedelta(seconds=1))


def _by_clocks(local: Seconds, offsets: Seconds, lags: Seconds, changes: tuple[tuple[int, int], ...]) -> Seconds:
    """Lags in seconds to the moments at which the clock showed the same; 0 where it never did.

    The offset of the target is that at a guess of it (as if nothing had changed), or the one found with that: of two
    offsets either one fits, or the time was skipped.
    """
    found = np.zeros_like(lags)
    rows, columns = np.nonzero(lags)
    wanted = local[rows] - lags[rows, columns]
    tried = offsets[rows]
    for _ in range(3):
        there = _offset_at(wanted - tried, changes)
        fits = there == tried
        at = rows[fits]
        found[at, columns[fits]] = local[at] - offsets[at] - (wanted - tried)[fits]
        rows, columns, wanted, tried = (each[~fits] for each in (rows, columns, wanted, there))
    return found


def _offset_at(moments: Seconds, changes: tuple[tuple[int, int], ...]) -> Seconds:
    """What local time is ahead of UTC by, in seconds."""
    offsets = np.full(moments.shape, changes[0][1], dtype=np.int64)
    for at, offset in changes[1:]:
        offsets[moments >= at] = offset
    return offsets


def _offsets(zone: ZoneInfo, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """(from when on, offset) in order, for first … last and a day around it, in seconds. Clocks change once a day."""
    found = []
    before: int | None = None
    for day in range(first // _DAY - 1, last // _DAY + 3):
        now = _offset(zone, day * _DAY)
        if before is None:
            found.append((day * _DAY, now))
        elif now != before:
            found.append((_change(zone, (day - 1) * _DAY, day * _DAY), now))
        before = now
    return tuple(found)


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The second, within low … high, from which the offset is the one at `high`."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


@lru_cache(maxsize=65_536)
def _offset(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset() or timedelta(0)
    return round(offset.total_seconds())


def _day_lags(first: int, last: int, special: Mapping[date, int | None]) -> Seconds:
    """For each local day (days since the epoch), how many days ago comparable ones were: (days, 7 + 4)."""
    table = np.zeros((last - first + 1, DAYS + WEEKS), dtype=np.int64)
    likes = {day.toordinal() - _EPOCH: like for day, like in special.items()}
    for day in range(first, last + 1):
        row = table[day - first]
        # Days before the grid have no samples: nothing is gained by looking for them.
        candidates = range(day - 1, max(first, day - LOOK_BACK.days) - 1, -1)
        earlier = [other for other in candidates if other not in likes] if likes else candidates
        like = likes.get(day)
        weekday = _weekday(day) if like is None else like
        alike = [other for other in earlier if _weekday(other) == weekday]
        near = earlier[:DAYS] if like is None else alike[:DAYS]
        row[: len(near)] = [day - other for other in near]
        row[DAYS : DAYS + len(alike[:WEEKS])] = [day - other for other in alike[:WEEKS]]
    return table


def _weekday(day: int) -> int:
    return (day + 3) % _WEEK  # the epoch was a Thursday
