"""The tails' memory: residuals counted, of the bare level, of the seasonal baselines, and of the slow channel."""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.detector.settings import LEAST_LEARNT, MEMORY_DAYS, SEASONAL_SHARE
from alerts.anomaly.detector.tails import Counts, Tail, bins_of, fitted


@dataclass(frozen=True, slots=True)
class Tails:
    """As fitted."""

    seasonal: Tail
    slow: Tail


@dataclass(slots=True)
class Learnt:
    """Of S series."""

    level: Counts
    seasonal: Counts
    slow: Counts
    per_day: int

    @classmethod
    def empty(cls, series: int, per_day: int) -> "Learnt":
        """Nothing yet."""
        return cls(Counts.empty(series), Counts.empty(series), Counts.empty(series), per_day)

    def add(self, residual: Floats, slow: Floats, seasonal: Booleans, counted: Booleans) -> None:
        """Count residuals (S, n); `seasonal` where they are of a baseline that knows the time of day."""
        good = counted & np.isfinite(residual)
        bins = bins_of(np.where(good, residual, 0))
        self.level.add(bins, good & ~seasonal)
        self.seasonal.add(bins, good & seasonal)
        good = counted & np.isfinite(slow)
        self.slow.add(bins_of(np.where(good, slow, 0)), good)

    def fitted(self) -> Tails:
        """The tails of what came so far; older counts fade. Residuals of the bare level serve at first."""
        for counts in (self.level, self.seasonal, self.slow):
            counts.halve(MEMORY_DAYS * self.per_day)
        enough = self.seasonal.counts.sum(axis=1) >= max(SEASONAL_SHARE * self.per_day, LEAST_LEARNT)
        counts = self.seasonal
        if not enough.all():
            counts = self.level.together(self.seasonal).chosen(self.seasonal, enough)
        return Tails(fitted(counts, pareto=True), fitted(self.slow, pareto=False))
