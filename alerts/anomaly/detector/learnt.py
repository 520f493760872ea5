"""The tails' memory: residuals counted, of the bare level, of the seasonal baselines, and of the slow channel."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Codes, Floats
from alerts.anomaly.detector.settings import BINS, CLUSTER_GAP, LEAST_LEARNT, MEMORY_DAYS, RIPE_DAYS, SEASONAL_SHARE
from alerts.anomaly.detector.tails import Counts, Integers, Tail, bins_of, edge_of, fitted

STAGES = 3
_NEARLY = 0.9
"""Of a week's steps: some are never counted."""
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

    Residuals are counted by what their baselines knew (a stage), so that those of a day that knew no other, or of weeks
    that knew no weekend, are not held against what comes later. They are counted twice: every step, by which
    `sustained` asks how rare a step is; and clusters, by which `point` asks how rare it is that something happens.

    What goes on is one thing, not hundreds: of residuals beyond the 98 % quantile that follow one another, only the
    first, second, fourth, eighth … are counted. Extreme-value theory declusters exceedances for the same reason (Coles,
    *An Introduction to Statistical Modeling of Extreme Values*, § 5.3). Otherwise an outage of half a day teaches that
    outages are usual: it is as many steps as two per cent of a month.
    """

    events: tuple[Counts, ...]  # by stage: of the bare level; of baselines that know days; that know weeks
    steps: tuple[Counts, ...]
    slow: Counts
    edge: Floats  # (S,) of today: residuals beyond it come in clusters
    run: Integers  # (S,) how many the latest cluster has
    quiet: Integers  # (S,) steps since its last
    per_day: int

    @classmethod
    def empty(cls, series: int, per_day: int) -> "Learnt":
        """Nothing yet."""
        return cls(
            tuple(Counts.empty(series) for _ in range(STAGES)),
            tuple(Counts.empty(series) for _ in range(STAGES)),
            Counts.empty(series),
            np.full(series, np.inf, dtype=np.float32),
            np.zeros(series, dtype=np.int32),
            np.full(series, _LONG_AGO, dtype=np.int32),
            per_day,
        )

    def new_day(self) -> None:
        """What is beyond the quantile is settled once a day."""
        self.edge = edge_of(self._known_best(self.events))

    def add(self, residual: Floats, slow: Floats, stage: Codes, counted: Booleans) -> None:
        """Count residuals (S, n) of a day at most, each at its stage; those that are to be `counted`."""
        good = counted & np.isfinite(residual)
        known = residual if good.all() else np.where(good, residual, np.float32(0))
        bins = bins_of(known)
        for at, (events, steps) in enumerate(zip(self.events, self.steps, strict=True)):
            found = steps.add(bins, good & (stage == at))
            if found is not None:
                events.reach(steps.top)
                events.counts += found
        self._forget(bins, stage, good, *self._going_on(known > self.edge[:, None]))
        good = counted & np.isfinite(slow)
        self.slow.add(bins_of(slow if good.all() else np.where(good, slow, np.float32(0))), good)

    def add_days(self, residual: Floats, slow: Floats, stage: Codes, counted: Booleans, days: list[int]) -> None:
        """`add` of many days, after nothing: `days` are the columns at which they begin, and the end. Only faster."""
        series, lengths = residual.shape[0], np.diff(days)
        self.reach(residual, slow, counted)
        good = counted & np.isfinite(residual)
        whole = bool(good.all())
        known = residual if whole else np.where(good, residual, np.float32(0))
        bins = bins_of(known)
        cells = bins - (self.steps[0].top - np.int32(BINS - 1))[:, None]
        np.maximum(cells, 0, out=cells)
        cells += np.repeat(np.arange(len(lengths), dtype=np.int32) * np.int32(BINS), lengths)
        cells += (np.arange(series, dtype=np.int32) * np.int32(BINS * len(lengths)))[:, None]
        by_day = []
        for at, steps in enumerate(self.steps):
            here = stage == at
            chosen = cells if here.all() and whole else cells[here if whole else good & here]
            found = np.bincount(chosen.reshape(-1), minlength=series * len(lengths) * BINS)
            by_day.append(found.reshape(series, len(lengths), BINS).astype(np.float32))
            steps.counts += by_day[at].sum(axis=1)
        for number, (start, end) in enumerate(pairwise(days)):
            if number:
                self.new_day()
            for events, counts in zip(self.events, by_day, strict=True):
                events.counts += counts[:, number]
            part = slice(start, end)
            goes_on = self._going_on(known[:, part] > self.edge[:, None])
            self._forget(bins[:, part], stage[:, part], good[:, part], *goes_on)
        good = counted & np.isfinite(slow)
        self.slow.add(bins_of(np.where(good, slow, np.float32(0))), good)

    def add_step(self, residual: Floats, slow: Floats, stage: Codes, counted: Booleans) -> None:
        """The same of one step (S,)."""
        good = counted & np.isfinite(residual)
        bins = bins_of(np.where(good, residual, np.float32(0)))
        fresh = good.copy()
        fresh[self._goes_on(np.flatnonzero(good & (residual > self.edge)))] = False
        for at, (events, steps) in enumerate(zip(self.events, self.steps, strict=True)):
            rows = np.flatnonzero(good & (stage == at))
            if rows.size:
                steps.add_step(bins[rows], rows)
                events.reach(steps.top)
                rows = np.flatnonzero(fresh & (stage == at))
                events.add_step(bins[rows], rows)
        rows = np.flatnonzero(counted & np.isfinite(slow))
        self.slow.add_step(bins_of(slow[rows]), rows)

    def _goes_on(self, beyond: Places) -> Places:
        """Of these series, whose residual of one step is beyond the edge, those that only go on with a cluster."""
        rank = np.where(self.quiet[beyond] > CLUSTER_GAP, np.int32(1), self.run[beyond] + np.int32(1))
        self.run[beyond] = rank
        self.quiet = np.minimum(self.quiet + np.int32(1), _LONG_AGO)
        self.quiet[beyond] = 0
        found: Places = beyond[(rank & (rank - 1)) != 0]
        return found

    def _forget(self, bins: Integers, stage: Codes, good: Booleans, rows: Places, columns: Places) -> None:
        """What only goes on with a cluster, as it was counted with the others."""
        kept = good[rows, columns]
        rows, columns = rows[kept], columns[kept]
        for at, events in enumerate(self.events):
            here = stage[rows, columns] == at
            where = rows[here]
            cells = np.clip(bins[where, columns[here]] - events.top[where] + np.int32(BINS - 1), 0, BINS - 1)
            np.subtract.at(events.counts, (where, cells), np.float32(1))

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
        """The tails of what came so far; older counts fade."""
        for counts in (*self.events, *self.steps, self.slow):
            counts.halve(MEMORY_DAYS * self.per_day)
        events, steps = self._known_best(self.events), self._known_best(self.steps)
        return Tails(
            fitted(events, pareto=True, trimmed=True), fitted(steps, pareto=True), fitted(self.slow, pareto=False)
        )

    def _known_best(self, stages: tuple[Counts, ...]) -> Counts:
        """Of what knows weeks, once that is a week; else of what knows days, once that is half a day; else of all."""
        level, days, weeks = stages
        counts = weeks
        ripe = weeks.counts.sum(axis=1) >= max(RIPE_DAYS * self.per_day * _NEARLY, LEAST_LEARNT)
        if not ripe.all():
            seasonal = days.together(weeks)
            enough = seasonal.counts.sum(axis=1) >= max(SEASONAL_SHARE * self.per_day, LEAST_LEARNT)
            if not enough.all():
                seasonal = level.together(seasonal).chosen(seasonal, enough)
            counts = seasonal.chosen(weeks, ripe)
        return counts

    def reach(self, residual: Floats, slow: Floats, counted: Booleans) -> None:
        """Make room for the largest (S, T) that is going to be counted. Only saves time."""
        for parts, values in (((*self.events, *self.steps), residual), ((self.slow,), slow)):
            known = np.where(counted, values, np.float32(0))
            top = bins_of(np.fmax.reduce(known, axis=1, initial=0)[:, None])[:, 0]
            for counts in parts:
                counts.reach(top)


def begins_day(index: int, refit: int, per_day: int) -> bool:
    """Whether step `index` is the first one of a day (of UTC) at which a fit is due."""
    return index % refit == 0 and index // per_day != (index - refit) // per_day
