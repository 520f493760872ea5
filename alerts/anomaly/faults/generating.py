"""Series with one fault each, with none, and with something harmless, drawn from a seeded generator."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Booleans, Grid
from alerts.anomaly.faults.clock import grid_from, local_time
from alerts.anomaly.faults.injecting import QUIET, Injected, inject
from alerts.anomaly.faults.model import Drawn, Family, Fault

DAYS: Final = 35
ZONE: Final = "Europe/Berlin"
_BEGIN: Final = datetime(2026, 5, 4, tzinfo=UTC)  # a Monday; no clock is turned, and no holiday is kept, before August
BEFORE_WINTER: Final = datetime(2026, 9, 27, tzinfo=UTC)  # 28 days later clocks are turned back
_LOST: Final = 0.003  # of the steps
_LONGEST_GAP: Final = timedelta(hours=4)
DIP: Final = timedelta(minutes=10)
"""How long a deployment takes."""


def draw(
    random: np.random.Generator,
    family: Family,
    fault: Fault | None,
    count: int,
    step: timedelta,
    *,
    begin: datetime = _BEGIN,
    holidays: Collection[date] = (),
) -> Drawn:
    """So many series of 35 days: the fault, if any, comes after 28 days. Steps are missing here and there.

    People take `holidays` (local dates of `ZONE`) for Sundays.
    """
    grid = grid_from(begin, DAYS, step)
    course = family.planned(random, local_time(grid, ZONE, holidays), count)
    if fault is None:
        injected = Injected(course, np.ones_like(course.mean), np.zeros(course.mean.shape, dtype=np.bool_))
    else:
        injected = inject(random, course, family, fault, grid)
    values = family.observed(random, injected.course, injected.unrest)
    values[_lost(random, values.shape, grid)] = np.nan
    return Drawn(family, values.astype(np.float32), injected.faulty, grid, ZONE)


def with_deployments(random: np.random.Generator, drawn: Drawn) -> Drawn:
    """Two deployments a working day, each of which takes a third to all of it for `DIP`; those are `faulty`.

    No deployment comes before the third day.
    """
    values, dips = drawn.values.copy(), np.zeros(drawn.values.shape, dtype=np.bool_)
    length = max(1, DIP // drawn.grid.step)
    for row in range(len(values)):
        for day in range(3, DAYS):
            for hour in random.uniform(7, 16, 2 if day % 7 < 5 else 0):
                start = round((timedelta(days=day) + timedelta(hours=hour)) / drawn.grid.step)
                values[row, start : start + length] *= random.uniform(0, 2 / 3)
                dips[row, start : start + length] = True
    return Drawn(drawn.family, values, dips, drawn.grid, drawn.zone)


def quiet_steps(grid: Grid) -> int:
    """How many steps there are before any fault."""
    return QUIET // grid.step


def _lost(random: np.random.Generator, shape: tuple[int, ...], grid: Grid) -> Booleans:
    """Single steps, and one gap of up to four hours in the quiet time."""
    lost = random.random(shape) < _LOST
    most = _LONGEST_GAP // grid.step
    for row in lost:
        start = int(random.integers(0, quiet_steps(grid) - most))
        row[start : start + int(random.integers(1, most + 1))] = True
    return np.asarray(lost)
