"""Moments at which something is recorded, and series at them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slo.replay.fetching import Asked
from slo.replay.sliding import Flags, Floats

Group = tuple[str, ...]  # the values of an SLO's group labels
Pairs = dict[Group, tuple[Floats, Floats]]  # all and bad events at the points of a grid, NaN where nothing was measured


@dataclass(frozen=True, slots=True)
class Grid:
    """Minutes `first`, `first` + `step`, … before `end` (since 1970)."""

    first: int
    end: int
    step: int

    @property
    def points(self) -> int:
        """How many there are; none when it ends before it begins."""
        return max(0, -(-(self.end - self.first) // self.step))

    @property
    def minutes(self) -> NDArray[np.int64]:
        """The points, in minutes since 1970."""
        return self.first + self.step * np.arange(self.points, dtype=np.int64)

    def asked(self, expr: str) -> Asked:
        """The question for an expression at these points."""
        return Asked(expr, self.first, self.end, self.step)

    def around(self, wanted: Flags) -> slice:
        """The places from the first to the last wanted point; empty without any."""
        places = np.flatnonzero(wanted)
        return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)

    def part(self, places: slice) -> "Grid":
        """The same points, only those places (`around`)."""
        return Grid(self.first + places.start * self.step, self.first + places.stop * self.step, self.step)


@dataclass(frozen=True, slots=True)
class PastSeries:
    """One series to be written: all its labels with `__name__`, and two arrays of one length in the order of time."""

    labels: Mapping[str, str]
    unix_seconds: NDArray[np.int64]
    values: NDArray[np.float64]


class Sink(Protocol):
    """Takes computed series, those of one SLO at a time, and never half of what belongs to one moment.

    Raises `Transient` or `Permanent`.
    """

    def take(self, series: list[PastSeries]) -> None:
        """Keep or write them."""
        ...
