"""Lags to comparable steps, worked out for some weeks at once and cut out for each fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly.detector.model import Grid, Lags, Phases
from alerts.anomaly.detector.phases import phases


@dataclass(frozen=True, slots=True)
class PhaseTable:
    """`whole` are the lags of every step of `grid`; `special` and `zone` are what they were made with."""

    grid: Grid
    zone: ZoneInfo
    special: Mapping[date, int | None]
    whole: Phases

    def holds(self, grid: Grid, zone: ZoneInfo, special: Mapping[date, int | None]) -> bool:
        """Whether `part` can be asked for that grid."""
        is_within = self.grid.first <= grid.first and grid.first + grid.count <= self.grid.first + self.grid.count
        return is_within and self.grid.step == grid.step and self.zone == zone and self.special == special

    def part(self, grid: Grid) -> Phases:
        """The same as if it was worked out for that grid, which must lie within: nothing reaches before its first."""
        start = grid.first - self.grid.first
        cut = slice(start, start + grid.count)
        steps = np.arange(grid.count, dtype=np.int32)[:, None]
        return Phases(_within(self.whole.daily[cut], steps), _within(self.whole.weekly[cut], steps))


def phase_table(
    grid: Grid, zone: ZoneInfo, special: Mapping[date, int | None], known: PhaseTable | None = None
) -> PhaseTable:
    """`known` where that will do, else a new one that will do for another day, too."""
    if known is not None and known.holds(grid, zone, special):
        return known
    longer = Grid(grid.first, grid.step, grid.count + grid.per_day)
    return PhaseTable(longer, zone, dict(special), phases(longer, zone, special))


def _within(lags: Lags, steps: Lags) -> Lags:
    return np.where(lags <= steps, lags, np.int32(0))
