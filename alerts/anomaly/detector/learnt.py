"""The tails' memory: residuals counted, of the bare level, of the seasonal baselines, and of the slow channel."""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.detector.settings import CLUSTER_GAP, LEAST_LEARNT, MEMORY_DAYS, SEASONAL_SHARE
from alerts.anomaly.detector.tails import Counts, Integers, Tail, bins_of, fitted

_LONG_AGO = np.int32(2**20)


@dataclass(frozen=True, slots=True)
class Tails:
    """As fitted."""

    seasonal: Tail  # of what happens: clusters
    steps: Tail  # of every step
    slow: Tail


@dataclass(slots=True)
class Learnt:
    """Of S series.

    Residuals of the seasonal baselines are counted twice: every step, by which `sustained` asks how rare a step is; and
    clusters, by which `point` asks how rare it is that something happens.

    What goes on is one thing, not hundreds: of residuals beyond the 98 % quantile that follow one another, only the
    first, second, fourth, eighth … are counted. Extreme-value theory declusters exceedances for the same reason (Coles,
    *An Introduction to Statistical Modeling of Extreme Values*, § 5.3). Otherwise an outage of half a day teaches that
    outages are usual: it is as many steps as two per cent of a month.
    """

    level: Counts
    seasonal: Counts
    steps: Counts
    slow: Counts
    edge: Floats  # (S,) of today: residuals beyond it come in clusters
    run: Integers  # (S,) how many the latest cluster has
    quiet: Integers  # (S,) steps since its last
    per_day: int

    @classmethod
    def empty(cls, series: int, per_day: int) -> "Learnt":
        """Nothing yet."""
        return cls(
            Counts.empty(series),
            Counts.empty(series),
            Counts.empty(series),
            Counts.empty(series),
            np.full(series, np.inf, dtype=np.float32),
            np.zeros(series, dtype=np.int32),
            np.full(series, _LONG_AGO, dtype=np.int32),
            per_day,
        )

    def new_day(self) -> None:
        """What is beyond the quantile is settled once a day."""
        tail = self._tail(self.seasonal)
        self.edge = np.where(tail.known, tail.edge, np.float32(np.inf))

    def add(self, residual: Floats, slow: Floats, seasonal: Booleans, counted: Booleans) -> None:
        """Count residuals (S, n) of a day at most; `seasonal`: of a baseline that knows the time of day."""
        good = counted & np.isfinite(residual)
        known = np.where(good, residual, np.float32(0))
        bins = bins_of(known)
        self.steps.add(bins, good & seasonal)
        good &= self._first_ones(known > self.edge[:, None])
        self.level.add(bins, good & ~seasonal)
        self.seasonal.add(bins, good & seasonal)
        good = counted & np.isfinite(slow)
        self.slow.add(bins_of(np.where(good, slow, 0)), good)

    def _first_ones(self, beyond: Booleans) -> Booleans:
        """False (S, n) for what only goes on with a cluster."""
        steps = beyond.shape[1]
        if not beyond.any():
            self.quiet = np.minimum(self.quiet + np.int32(steps), _LONG_AGO)
            return ~beyond
        at = np.arange(steps, dtype=np.int32)
        last = np.empty((beyond.shape[0], steps + 1), dtype=np.int32)
        last[:, 0] = -1 - self.quiet
        last[:, 1:] = np.where(beyond, at, -_LONG_AGO * 2)
        last = np.maximum.accumulate(last, axis=1)
        begins = beyond & (at - last[:, :-1] - 1 > CLUSTER_GAP)
        number = np.cumsum(beyond, axis=1, dtype=np.int32)
        before = np.empty_like(last)
        before[:, 0] = -self.run
        before[:, 1:] = np.where(begins, number - 1, -_LONG_AGO * 2)
        rank = number - np.maximum.accumulate(before, axis=1)[:, 1:]
        self.run = np.ascontiguousarray(rank[:, -1])
        self.quiet = np.minimum(np.int32(steps - 1) - last[:, -1], _LONG_AGO)
        power_of_two: Booleans = (rank & (rank - 1)) == 0
        return ~beyond | power_of_two

    def fitted(self) -> Tails:
        """The tails of what came so far; older counts fade. Residuals of the bare level serve at first."""
        for counts in (self.level, self.seasonal, self.steps, self.slow):
            counts.halve(MEMORY_DAYS * self.per_day)
        return Tails(self._tail(self.seasonal), self._tail(self.steps), fitted(self.slow, pareto=False))

    def _tail(self, counts: Counts) -> Tail:
        enough = counts.counts.sum(axis=1) >= max(SEASONAL_SHARE * self.per_day, LEAST_LEARNT)
        if not enough.all():
            counts = self.level.together(counts).chosen(counts, enough)
        return fitted(counts, pareto=True)


def begins_day(index: int, refit: int, per_day: int) -> bool:
    """Whether step `index` is the first one of a day (of UTC) at which a fit is due."""
    return index % refit == 0 and index // per_day != (index - refit) // per_day
