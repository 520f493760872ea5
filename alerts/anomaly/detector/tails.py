"""How rare a residual is, from counts of all that came before: sums that can be kept, carried on and added to.

Residuals are counted in bins of an eighth of an octave (9 %). The bins slide: the last one holds the largest residual
seen so far, the first all that is 24 octaves smaller, and zero. So a fit costs the same after a year as after a week,
and gives the same whether the past is counted at once or step by step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.detector.settings import (
    BINS,
    BINS_AN_OCTAVE,
    LEAST_LEARNT,
    LEAST_SHAPE,
    LEAST_TAIL,
    SLOPE_BEYOND_CAP,
    SOFT_CAP,
    TAIL_SHARE,
    UNSEEN_SHAPE,
)

NOWHERE = np.int32(-(2**20))
_LOWEST = np.int32(-100 * BINS_AN_OCTAVE)
"""Bin of the largest residual where none was more than 0."""
_MOST_RARE = np.float32(100)
_SMALLEST = np.float32(2.0**-120)
_LN10 = np.float32(np.log(10))
_LOG_WIDTH = np.float32(np.log(2) / BINS_AN_OCTAVE)
_CENTERS = np.exp2((np.arange(BINS) + 0.5 - BINS) / BINS_AN_OCTAVE).astype(np.float32)
"""Of the bins, in units of the upper edge of the last."""

Integers = NDArray[np.int32]


def bins_of(residuals: Floats) -> Integers:
    """Bin of each residual ≥ 0, counted from 1; far below any other for 0. NaN must not occur."""
    bins = np.floor(np.log2(np.maximum(residuals, _SMALLEST)) * np.float32(BINS_AN_OCTAVE)).astype(np.int32)
    return np.where(residuals > _SMALLEST, bins, NOWHERE)


@dataclass(slots=True)
class Counts:
    """Residuals of S series, counted: (S, bins), and the bin that the last column is (S,)."""

    counts: Floats
    top: Integers

    @classmethod
    def empty(cls, series: int) -> "Counts":
        """Nothing counted."""
        return cls(np.zeros((series, BINS), dtype=np.float32), np.full(series, NOWHERE, dtype=np.int32))

    def reach(self, top: Integers) -> None:
        """Let the last column be at least this bin (S,)."""
        rows = np.flatnonzero(top > self.top)
        if not rows.size:
            return
        move = np.minimum(top[rows] - self.top[rows], BINS)
        columns = np.arange(BINS) + move[:, None]
        old = self.counts[rows]
        new = np.where(columns < BINS, np.take_along_axis(old, np.minimum(columns, BINS - 1), axis=1), 0)
        new[:, 0] = old.sum(axis=1) - new[:, 1:].sum(axis=1)
        self.counts[rows] = new
        self.top[rows] = top[rows]

    def add(self, bins: Integers, counted: Booleans) -> Floats | None:
        """Count residuals (S, n) by their bins, those that are to be `counted`; how many came to each; None: none."""
        if not counted.any():
            return None
        whole = bool(counted.all())
        self.reach((bins if whole else np.where(counted, bins, NOWHERE)).max(axis=1, initial=NOWHERE))
        series = self.counts.shape[0]
        cells = bins - (self.top - np.int32(BINS - 1))[:, None]
        np.maximum(cells, 0, out=cells)
        np.minimum(cells, BINS - 1, out=cells)
        cells += (np.arange(series, dtype=np.int32) * np.int32(BINS))[:, None]
        found = cells.reshape(-1) if whole else cells[counted]
        new = np.bincount(found, minlength=series * BINS).reshape(series, BINS).astype(np.float32)
        self.counts += new
        return new

    def add_step(self, bins: Integers, rows: NDArray[np.int64]) -> None:
        """Count one residual of each of these series; `bins` are theirs."""
        late = bins > self.top[rows]
        if late.any():
            top = self.top.copy()
            top[rows[late]] = bins[late]
            self.reach(top)
        cells = np.maximum(bins - self.top[rows] + np.int32(BINS - 1), 0)
        self.counts.reshape(-1)[rows * BINS + cells] += 1

    def halve(self, most: float) -> None:
        """Halve the counts of those series that hold more than so many."""
        self.counts[self.counts.sum(axis=1) > most] *= np.float32(0.5)

    def together(self, other: "Counts") -> "Counts":
        """Both counted as one; neither changes."""
        both, added = Counts(self.counts.copy(), self.top.copy()), Counts(other.counts.copy(), other.top.copy())
        top = np.maximum(self.top, other.top)
        both.reach(top)
        added.reach(top)
        both.counts += added.counts
        return both

    def chosen(self, other: "Counts", use_other: Booleans) -> "Counts":
        """Of each series these counts, or the other's."""
        return Counts(np.where(use_other[:, None], other.counts, self.counts), np.where(use_other, other.top, self.top))


@dataclass(slots=True)
class Tail:
    """Rarity of residuals of S series, as fitted: a table by bin up to the tail, and the tail's own law beyond."""

    table: Floats  # (S, bins + 1): rarity at the lower edge of each bin
    bottom: Floats  # (S,) bin at the lower edge of the first column
    knee: Floats  # (S,) column at which the tail begins
    at_knee: Floats  # rarity there
    edge: Floats  # the residual there
    slope: Floats  # of the rarity beyond: per bin (Pareto), or per unit of the residual (exponential)
    pareto: bool
    known: Booleans  # (S,) there is something to be rare among

    def of_rows(self, rows: NDArray[np.int64]) -> Callable[[Floats], Floats]:
        """A function of distances (n,) of these series to their rarities, of a Pareto tail; it is to be asked often."""
        bottom, knee, at_knee, slope = self.bottom[rows], self.knee[rows], self.at_knee[rows], self.slope[rows]
        known, flat, begin = self.known[rows].astype(np.float32), self.table.reshape(-1), rows * (BINS + 1)

        def rarity(distances: Floats) -> Floats:
            place = np.log2(np.maximum(distances, _SMALLEST)) * np.float32(BINS_AN_OCTAVE) - bottom
            result = at_knee + (place - knee) * slope
            below = np.flatnonzero(place < knee)
            if below.size:
                here = np.maximum(place[below], 0)
                column = here.astype(np.int64)
                low = flat[begin[below] + column]
                result[below] = low + (flat[begin[below] + column + 1] - low) * (here - column)
            return softly(np.minimum(result, _MOST_RARE)) * known

        return rarity

    def raw(self, residuals: Floats) -> Floats:
        """−log10 of the chance of a residual as large (S, n), without the cap; 0 where nothing is known."""
        safe = np.maximum(residuals, _SMALLEST)
        place = np.log2(safe) * np.float32(BINS_AN_OCTAVE) - self.bottom[:, None]
        column = np.minimum(np.maximum(place, 0), BINS - 1).astype(np.int32)
        cells = column + (np.arange(self.table.shape[0], dtype=np.int32) * np.int32(BINS + 1))[:, None]
        flat = self.table.reshape(-1)
        low = flat[cells]
        inside = low + (flat[cells + 1] - low) * np.maximum(place - column, 0)
        if self.pareto:
            beyond = (place - self.knee[:, None]) * self.slope[:, None]
        else:
            beyond = (safe - self.edge[:, None]) * self.slope[:, None]
        tail = self.at_knee[:, None] + np.maximum(beyond, 0)
        result = np.where(place >= self.knee[:, None], tail, inside)
        return np.where(self.known[:, None] & (residuals > _SMALLEST), np.minimum(result, _MOST_RARE), np.float32(0))

    def rarity(self, residuals: Floats) -> Floats:
        """The same, softly capped at 4. NaN is as rare as 0."""
        return softly(self.raw(np.fmax(residuals, np.float32(0))))

    def residual(self, rarity: float) -> Floats:
        """(S,) the largest residual that is not rarer than so much, of a Pareto tail; infinite where none is."""
        raw = rarity if rarity <= SOFT_CAP else SOFT_CAP + (rarity - SOFT_CAP) / SLOPE_BEYOND_CAP
        beyond = (raw - self.at_knee) / self.slope + self.knee
        columns = np.arange(BINS + 1)
        below = np.where(columns <= self.knee[:, None], self.table, np.float32(np.inf)) <= raw
        last = np.maximum(below.sum(axis=1) - 1, 0)
        following = np.minimum(last + 1, BINS)
        low = np.take_along_axis(self.table, last[:, None], axis=1)[:, 0]
        high = np.take_along_axis(self.table, following[:, None], axis=1)[:, 0]
        part = np.where(high > low, (raw - low) / np.maximum(high - low, np.float32(1e-9)), 0)
        place = np.where(raw >= self.at_knee, beyond, last + part)
        log2 = np.clip((place + self.bottom) / BINS_AN_OCTAVE, -126, 126)
        return np.where(self.known, np.exp2(log2), np.float32(np.inf)).astype(np.float32)


def softly(raw: Floats) -> Floats:
    """Rarity as it is up to 4, and a tenth of it beyond."""
    beyond: Floats = np.float32(SLOPE_BEYOND_CAP) * raw + np.float32(SOFT_CAP * (1 - SLOPE_BEYOND_CAP))
    return np.minimum(raw, beyond)


def _beginning(counted: Counts) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """Where the tail begins: (how many are as large as each bin, its column, the first column's bin, the residual)."""
    as_large = np.zeros((counted.counts.shape[0], BINS + 1), dtype=np.float32)
    np.cumsum(counted.counts[:, ::-1], axis=1, out=as_large[:, BINS - 1 :: -1])
    need = np.maximum(np.float32(TAIL_SHARE) * as_large[:, 0], np.float32(LEAST_TAIL))
    knee = np.maximum(np.count_nonzero(as_large >= need[:, None], axis=1) - 1, 1)
    bottom = (np.maximum(counted.top, _LOWEST) - np.int32(BINS - 1)).astype(np.float32)
    edge = np.exp2(np.clip((bottom + knee) / BINS_AN_OCTAVE, -126, 126)).astype(np.float32)
    return as_large, knee, bottom, edge


def edge_of(counted: Counts) -> Floats:
    """The 98 % quantile (S,); infinite where too little was counted."""
    as_large, _, _, edge = _beginning(counted)
    return np.where(as_large[:, 0] >= LEAST_LEARNT, edge, np.float32(np.inf))


def _trimmed(counts: Floats, knee: NDArray[np.int64], sums: Floats, exceeding: Floats) -> Floats:
    """Hill's estimate without the largest."""
    largest = BINS - 1 - np.argmax(counts[:, ::-1] > 0, axis=1)
    its_own = np.maximum(largest + np.float32(0.5) - knee, 0) * _LOG_WIDTH
    number = np.maximum(exceeding, 2)
    harmonic = np.log(number) + np.float32(np.euler_gamma) + 1 / (2 * number)
    rest: Floats = (np.maximum(sums - its_own, 0) / (number - harmonic)).astype(np.float32)
    return rest


def fitted(counted: Counts, *, pareto: bool, trimmed: bool = False) -> Tail:
    """The tail of what was counted: its 98 % quantile, and beyond it Pareto by Hill's estimate, or exponential.

    `trimmed` leaves the largest out of Hill's estimate, so that a spike does not widen the band: of m exceedances of a
    Pareto law the largest has H(m) = 1 + 1/2 + … + 1/m of the m mean logarithms (Rényi's representation), so what is
    left is divided by m − H(m).

    Ranks are (those as large + 1) ÷ (all + 1), so a series that never strayed is not certain that it cannot.
    """
    counts = counted.counts
    as_large, knee, bottom, edge = _beginning(counted)
    total = as_large[:, 0]
    table = np.log10((total + 1)[:, None]) - np.log10(as_large + 1)
    at = knee[:, None]
    exceeding = np.take_along_axis(as_large, at, axis=1)[:, 0]
    inside = np.arange(BINS) >= at
    if pareto:
        sums = np.where(inside, counts * (np.arange(BINS) + np.float32(0.5) - at), 0).sum(axis=1) * _LOG_WIDTH
        shape = _trimmed(counts, knee, sums, exceeding) if trimmed else sums / np.maximum(exceeding, 1)
        shape = np.where(exceeding > trimmed, shape, np.float32(UNSEEN_SHAPE))
        slope = _LOG_WIDTH / (np.maximum(shape, np.float32(LEAST_SHAPE)) * _LN10)
    else:
        ratio = _CENTERS * np.exp2((BINS - at) / np.float32(BINS_AN_OCTAVE)).astype(np.float32) - 1
        sums = np.where(inside, counts * ratio, 0).sum(axis=1)
        mean = np.where(exceeding > 0, sums / np.maximum(exceeding, 1), np.float32(UNSEEN_SHAPE))
        slope = 1 / (np.maximum(mean, np.float32(LEAST_SHAPE)) * edge * _LN10)
    at_knee = np.take_along_axis(table, at, axis=1)[:, 0]
    return Tail(
        table,
        bottom,
        knee.astype(np.float32),
        at_knee,
        edge,
        np.minimum(slope, np.float32(1e30)).astype(np.float32),
        pareto,
        (total >= LEAST_LEARNT),
    )
