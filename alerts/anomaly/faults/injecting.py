"""Faults laid over what is expected, before the noise is drawn: counts stay counts, and low traffic stays noisy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Booleans, Grid
from alerts.anomaly.faults.model import Course, Family, Fault
from alerts.anomaly.faults.shapes import Series

QUIET: Final = timedelta(days=28)
"""Nothing is wrong before."""
_LATEST: Final = timedelta(days=5)  # after the quiet time, a fault has begun
_MINUTES: Final[Mapping[Fault, tuple[float, float]]] = {
    Fault.SPIKE: (5, 40),
    Fault.DROP: (15, 120),
    Fault.LEVEL_SHIFT: (1440, 1440),
    Fault.DRIFT: (1440, 2 * 1440),
    Fault.MISSING_SEASON: (1440, 1440),
    Fault.VARIANCE: (6 * 60, 24 * 60),
}
"""How long a fault lasts, from … to. A level shift stays; on its first day nobody can say that it will."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one fault is: steps, stop not included. `direction` 1 up, −1 down."""

    start: int
    stop: int
    direction: float


@dataclass(frozen=True, slots=True)
class Injected:
    """Courses with a fault each, the noise of each step as a multiple of its usual, and where the faults are."""

    course: Course
    unrest: Series
    faulty: Booleans


def inject(random: np.random.Generator, course: Course, family: Family, fault: Fault, grid: Grid) -> Injected:
    """One fault in each series, after `QUIET`."""
    mean, unrest = course.mean.copy(), np.ones_like(course.mean)
    faulty = np.zeros(mean.shape, dtype=np.bool_)
    for row in range(len(mean)):
        place = _place(random, fault, family, grid)
        if fault is Fault.VARIANCE:
            unrest[row, place.start : place.stop] = random.uniform(3, 6)
        else:
            _CHANGES[fault](random, mean[row], course.deviation[row], place)
        faulty[row, place.start : place.stop] = True
    changed = Course(np.clip(mean, 0, family.ceiling), course.deviation, course.whole)
    return Injected(changed, unrest, faulty)


def _place(random: np.random.Generator, fault: Fault, family: Family, grid: Grid) -> Place:
    minute = timedelta(minutes=1)
    begin = QUIET + random.uniform(0, 1) * _LATEST
    length = random.uniform(*_MINUTES[fault]) * minute
    start = begin // grid.step
    stop = min(start + max(1, round(length / grid.step)), grid.count)
    only_down = fault is Fault.DROP or family.ceiling == 1
    return Place(start, stop, -1.0 if only_down or (fault is not Fault.SPIKE and random.random() < 1 / 2) else 1.0)


def _spike(random: np.random.Generator, mean: Series, deviation: Series, place: Place) -> None:
    """Half as much again to thrice as much more, and no less than 6 to 12 deviations of the noise."""
    here = slice(place.start, place.stop)
    mean[here] += np.maximum(random.uniform(0.5, 3) * mean[here], random.uniform(6, 12) * deviation[here])


def _drop(random: np.random.Generator, mean: Series, deviation: Series, place: Place) -> None:
    """Half of it to all of it is gone; of a ratio near 1, 1 to 30 percent."""
    here = slice(place.start, place.stop)
    near_one = _is_near_one(mean)
    share = random.uniform(0.01, 0.3) if near_one else random.uniform(0.5, 1)
    mean[here] -= np.maximum(share * mean[here], 6 * deviation[here] if near_one else 0)


def _level_shift(random: np.random.Generator, mean: Series, deviation: Series, place: Place) -> None:
    """A quarter to two thirds of the level, up or down, and it stays."""
    here = slice(place.start, len(mean))
    mean[here] += place.direction * _sized(random, mean[here], deviation[here])


def _drift(random: np.random.Generator, mean: Series, deviation: Series, place: Place) -> None:
    """The same, a little more with every step, until it is taken back."""
    here = slice(place.start, place.stop)
    way = np.linspace(0, 1, place.stop - place.start)
    mean[here] += 1.5 * place.direction * way * _sized(random, mean[here], deviation[here])


def _missing_season(random: np.random.Generator, mean: Series, deviation: Series, place: Place) -> None:
    """A day on which the day does not come: all stays as it was in the quietest hours."""
    here = slice(place.start, place.stop)
    mean[here] = np.minimum(mean[here], np.quantile(mean[here], 0.1) * random.uniform(0.8, 1.2) + deviation[here] / 9)


def _sized(random: np.random.Generator, mean: Series, deviation: Series) -> Series:
    share = random.uniform(0.01, 0.1) if _is_near_one(mean) else random.uniform(0.25, 0.67)
    return np.asarray(np.maximum(share * mean, 3 * float(np.median(deviation))))


def _is_near_one(mean: Series) -> bool:
    return bool(0.9 < mean.min() <= mean.max() <= 1)


_Change = Callable[[np.random.Generator, Series, Series, Place], None]
_CHANGES: Final[Mapping[Fault, _Change]] = {
    Fault.SPIKE: _spike,
    Fault.DROP: _drop,
    Fault.LEVEL_SHIFT: _level_shift,
    Fault.DRIFT: _drift,
    Fault.MISSING_SEASON: _missing_season,
}
