"""Faults, families of series, and what is drawn of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Booleans, Floats, Grid, Terms
from alerts.anomaly.faults.clock import LocalTime
from alerts.anomaly.faults.shapes import Series


class Fault(Enum):
    """What goes wrong."""

    SPIKE = "spike"
    DROP = "drop"
    LEVEL_SHIFT = "level shift"
    DRIFT = "drift"
    MISSING_SEASON = "missing season"
    VARIANCE = "variance change"


class Harmless(Enum):
    """What is no fault, though the series looks otherwise than yesterday."""

    DST_DAY = "DST day"
    HOLIDAY = "holiday"
    DEPLOYMENT = "deployment dip"


@dataclass(frozen=True, slots=True)
class Course:
    """Series before anything is drawn of them, all (S, T): what is expected, and one deviation of the noise about it.

    `whole`: of a ratio, how many events it is a share of.
    """

    mean: Series
    deviation: Series
    whole: Series | None = None


Observe = Callable[[np.random.Generator, Course, Series], Series]
"""Draws the series of a course; the noise of each step (S, T) is so many times its usual."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of series. `ceiling` is the highest value there can be; faults of a ratio with one go down only."""

    name: str
    terms: Terms
    planned: Callable[[np.random.Generator, LocalTime, int], Course]
    observed: Observe
    faults: frozenset[Fault]
    ceiling: float = np.inf


@dataclass(frozen=True, slots=True)
class Drawn:
    """Series (S, T) of one family, with one fault each. `faulty` (S, T) is true from its begin to its end."""

    family: Family
    values: Floats
    faulty: Booleans
    grid: Grid
    zone: str


EVERY_FAULT: Final = frozenset(Fault)
