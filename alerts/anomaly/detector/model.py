"""What the detector takes and gives: arrays over (series × time). Pure numpy; nothing here knows of Prometheus.

Throughout, S is the number of series, T the number of steps, and NaN means that there was no sample.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.model import Direction, Sensitivity, Values

Floats: TypeAlias = NDArray[np.float32]
Booleans: TypeAlias = NDArray[np.bool_]
Lags: TypeAlias = NDArray[np.int32]
Codes: TypeAlias = NDArray[np.uint8]
Steps: TypeAlias = NDArray[np.int64]

NEVER: Final = -(2**62)
"""A step that never was: before all others."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps in UTC: step i begins `(first + i) * step` after the epoch. `first` may be any integer."""

    first: int
    step: timedelta
    count: int

    @property
    def per_day(self) -> int:
        """Steps a day of 24 hours."""
        return round(timedelta(days=1) / self.step)


@dataclass(frozen=True, slots=True)
class Phases:
    """For every step, how many steps earlier the same phase of earlier days and weeks was, in local time.

    `daily` (T, 7): the last seven comparable days, nearest first; `weekly` (T, 4): the last four comparable weeks.
    0 where there is none. In UTC without calendars, daily[t] = L·(1…7), weekly[t] = 7L·(1…4).
    """

    daily: Lags
    weekly: Lags


@dataclass(frozen=True, slots=True)
class Panel:
    """Samples on a grid. `fitted` (S, T) or (1, T): False where a step is scored but not learnt from.

    `phases` may have more rows than the grid has steps: those of steps to come, which a fitted model can then score.
    """

    values: Floats  # (S, T)
    grid: Grid
    phases: Phases
    fitted: Booleans | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator says of all series of a detector; deviations in the values' unit, 0.1 is 10 %."""

    values: Values = Values.GAUGE
    direction: Direction = Direction.BOTH
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    least_absolute: float = 0.0
    least_relative: float = 0.0
    daily: bool = True
    weekly: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """All of shape (S, T). NaN (0 in codes, False) where nothing could be scored; imputed steps are never scored.

    `score` > 1 exactly where `point` exceeds the threshold in a direction that counts, and the value lies outside
    `lower` … `upper`. `point` and `sustained` are rarities (mean of −log10 p), as ANOMALY.md defines them.
    """

    value: Floats  # what was scored: the sample, or the rate that a counter was made into
    point: Floats
    sustained: Floats
    score: Floats
    sustained_score: Floats
    expected: Floats  # yhat
    lower: Floats
    upper: Floats
    seasonal: Floats  # rarity of each channel
    slow: Floats
    range_all: Floats
    range_recent: Floats
    baseline: Codes  # 0 none, 1 level, 2 daily, 3 weekly: the one with the least error lately
    maturity: Codes  # `alerts.anomaly.model.Maturity`
    shifted: Booleans  # the step at which a new level is taken as the new normal
    coverage: Floats  # share of the past day's steps that have a sample; below a half there is no score
