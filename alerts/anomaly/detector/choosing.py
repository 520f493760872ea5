"""Which baseline is trusted, and when a level is a new one: by how far each baseline was off lately.

Errors are summed over the steps between fits and weighed by age, so the state is a few numbers a series.
"""

import math
from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.baselines import DAILY, LEVEL, NONE, WEEKLY
from alerts.anomaly.detector.model import NEVER, Booleans, Codes, Floats, Steps
from alerts.anomaly.detector.settings import (
    CHOICE_DAYS,
    FLOOR,
    LEAST_CHOICE_SHARE,
    SHIFT_RATIO,
)

ERRORS = 4
"""Of the level, the daily and the weekly baseline, and of the daily one without today's level."""
_PLAIN = 3
_YOUNG_DAYS = 3
"""Before two weeks are known a weekend looks like a level shift: it has to last longer."""


@dataclass(slots=True)
class Choosing:
    """Of S series: errors lately and since the last fit, and how long a shift has been seen."""

    errors: Floats  # (S, 4) sums weighed by age, up to the last fit
    weights: Floats  # (S, 4)
    since: Floats  # (S, 4) sums since the last fit
    count: Floats  # (S, 4)
    run: Steps  # (S,) fits in a row that saw a shift; below 0: one was announced, and is not over
    anchor: Steps  # (S,) step at which the last shift was announced; `NEVER`: none was

    @classmethod
    def empty(cls, series: int) -> "Choosing":
        """Nothing known."""
        none = np.zeros((series, ERRORS), dtype=np.float32)
        return cls(
            none,
            none.copy(),
            none.copy(),
            none.copy(),
            np.zeros(series, dtype=np.int64),
            np.full(series, NEVER, dtype=np.int64),
        )

    def add(self, sums: Floats, counts: Floats) -> None:
        """Errors (S, 4) of learnt steps since the last fit, and how many there were."""
        self.since += sums
        self.count += counts

    def close(self, index: int, per_day: int, refit: int, level: Floats, mature: Booleans) -> Booleans:
        """Before step `index`, at which a fit is due: age the errors; True (S,) where a new level is announced."""
        shifted = self._shifts(per_day, refit, level, mature)
        self.anchor[shifted] = index
        kept = np.float32(math.exp(-refit / (per_day * CHOICE_DAYS)))
        self.errors = self.errors * kept + self.since
        self.weights = self.weights * kept + self.count
        self.since = np.zeros_like(self.since)
        self.count = np.zeros_like(self.count)
        return shifted

    def _shifts(self, per_day: int, refit: int, level: Floats, mature: Booleans) -> Booleans:
        """The adjusted baseline beat both plain ones for a day: whatever it was, it is no shape of the week."""
        mean = self.since / np.maximum(self.count, 1)
        plain, weekly = mean[:, _PLAIN], mean[:, WEEKLY - 1]
        plain = np.where(self.count[:, WEEKLY - 1] > 0, np.minimum(plain, weekly), plain)
        noise = np.nan_to_num(np.abs(level) * np.float32(FLOOR))
        enough = self.count[:, _PLAIN] * 2 >= refit
        seen = enough & (plain > SHIFT_RATIO * mean[:, DAILY - 1] + noise)
        day = math.ceil(per_day / refit)
        need = np.where(mature, day, _YOUNG_DAYS * day)
        open_run = np.where(seen, self.run + 1, np.maximum(self.run - 2, 0))
        closing = np.where(seen, -day, np.minimum(self.run + 1, 0))
        run = np.where(self.run >= 0, open_run, closing)
        shifted = run >= need
        self.run = np.where(shifted, -day, run)
        return shifted

    def means(self, per_day: int) -> Floats:
        """Mean error lately of level, daily and weekly (S, 3); infinite where too little is known."""
        weights = self.weights[:, :_PLAIN]
        known = weights >= LEAST_CHOICE_SHARE * per_day
        means = self.errors[:, :_PLAIN] / np.maximum(weights, np.float32(1e-9))
        return np.where(known, means, np.float32(np.inf)).astype(np.float32)

    def chosen(self, per_day: int) -> tuple[Codes, Codes]:
        """(of all three, of the seasonal two) the one with the least error; NONE where none is known well enough."""
        means = self.means(per_day)
        best = means.argmin(axis=1) + LEVEL
        best_seasonal = means[:, 1:].argmin(axis=1) + DAILY
        any_known = np.isfinite(means.min(axis=1))
        seasonal_known = np.isfinite(means[:, 1:].min(axis=1))
        return (
            np.where(any_known, best, NONE).astype(np.uint8),
            np.where(seasonal_known, best_seasonal, NONE).astype(np.uint8),
        )


def take(choice: Codes, level: Floats, daily: Floats, weekly: Floats) -> tuple[Floats, Codes]:
    """The chosen baseline and its code; where it is missing the daily one, else the level. All of one shape."""
    code = np.where(np.isfinite(daily), DAILY, np.where(np.isfinite(level), LEVEL, NONE)).astype(np.uint8)
    code = np.where((choice == WEEKLY) & np.isfinite(weekly), np.uint8(WEEKLY), code)
    code = np.where((choice == LEVEL) & np.isfinite(level), np.uint8(LEVEL), code)
    value = np.where(code == WEEKLY, weekly, np.where(code == DAILY, daily, level))
    return value.astype(np.float32), code
