"""The tails' memory: residuals counted, of the bare level, of the seasonal baselines, and of the slow channel."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.detector.settings import BINS, CLUSTER_GAP, LEAST_LEARNT, MEMORY_DAYS, SEASONAL_SHARE
from alerts.anomaly.detector.tails import Counts, Integers, Tail, bins_of, fitted

_LONG_AGO = np.int32(2**20)
_ROW = 2**34
"""More than there are steps, so that what is accumulated starts anew with each row."""

Places: TypeAlias = NDArray[np.int64]


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
        self.level.add(bins, good & ~seasonal)
        good &= seasonal
        found = self.steps.add(bins, good)
        if found is not None:
            self.seasonal.reach(self.steps.top)
            self.seasonal.counts += found
        self._forget(bins, good, *self._going_on(known > self.edge[:, None]))
        good = counted & np.isfinite(slow)
        self.slow.add(bins_of(np.where(good, slow, np.float32(0))), good)

    def _forget(self, bins: Integers, good: Booleans, rows: Places, columns: Places) -> None:
        """What only goes on with a cluster, as it was counted with the others."""
        kept = good[rows, columns]
        rows, columns = rows[kept], columns[kept]
        cells = np.clip(bins[rows, columns] - self.seasonal.top[rows] + np.int32(BINS - 1), 0, BINS - 1)
        np.subtract.at(self.seasonal.counts, (rows, cells), np.float32(1))

    def _going_on(self, beyond: Booleans) -> tuple[Places, Places]:
        """Rows and columns (S, n) of what only goes on with a cluster."""
        steps = beyond.shape[1]
        rows, columns = np.nonzero(beyond)
        quiet = np.minimum(self.quiet + np.int32(steps), _LONG_AGO)
        if not rows.size:
            self.quiet = quiet
            return rows, columns
        first = np.ones(rows.size, dtype=bool)
        first[1:] = rows[1:] != rows[:-1]
        before = np.where(first, -1 - self.quiet[rows], np.concatenate([columns[:1], columns[:-1]]))
        begins = columns - before - 1 > CLUSTER_GAP
        number = np.arange(rows.size)
        start = np.where(begins, number, np.where(first, number - self.run[rows], -_LONG_AGO))
        rank = number - np.maximum.accumulate(start + rows * _ROW) + rows * _ROW + 1
        last = np.append(first[1:], True)
        self.run[rows[last]] = rank[last]
        quiet[rows[last]] = steps - 1 - columns[last]
        self.quiet = quiet
        goes_on = (rank & (rank - 1)) != 0
        return rows[goes_on], columns[goes_on]

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
