"""Local time on a grid: what people and cron jobs go by."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Grid

MINUTES: Final = 1440
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WEEKDAY: Final = 3  # a Thursday
_SUNDAY: Final = 6


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Of every step of a grid, each (T,): minute of the day, weekday (0 Monday), days since 1970; all local."""

    minute: NDArray[np.int64]
    weekday: NDArray[np.int64]
    day: NDArray[np.int64]

    @property
    def weekend(self) -> NDArray[np.bool_]:
        """Saturdays and Sundays."""
        return np.asarray(self.weekday >= 5)


def local_time(grid: Grid, zone: str, holidays: Collection[date] = ()) -> LocalTime:
    """The grid's steps as a clock on the wall shows them; people take `holidays` for Sundays.

    Offsets are looked up once an hour: no zone changes its own within one.
    """
    step = grid.step // timedelta(seconds=1)
    seconds = (grid.first + np.arange(grid.count, dtype=np.int64)) * step
    hours, where = np.unique(seconds // 3600, return_inverse=True)
    place = ZoneInfo(zone)
    offsets = np.array([_offset(int(hour), place) for hour in hours], dtype=np.int64)
    local = seconds + offsets[where]
    day = local // 86_400
    weekday = (day + _EPOCH_WEEKDAY) % 7
    off = [(each - _EPOCH.date()).days for each in holidays]
    return LocalTime(local % 86_400 // 60, np.where(np.isin(day, off), _SUNDAY, weekday), day)


def grid_from(start: datetime, days: int, step: timedelta) -> Grid:
    """So many days from an aware time on."""
    return Grid((start - _EPOCH) // step, step, timedelta(days=days) // step)


def _offset(hour: int, place: ZoneInfo) -> int:
    found = (_EPOCH + timedelta(hours=hour)).astimezone(place).utcoffset()
    assert found is not None
    return found // timedelta(seconds=1)
