"""What is expected: the same phase of earlier days and weeks, moved to today's level."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from alerts.anomaly.detector.medians import median
from alerts.anomaly.detector.model import Floats, Lags

NONE, LEVEL, DAILY, WEEKLY = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Seasons:
    """For steps `start` … of a panel: medians over the lags (S, steps); NaN where no lag has a sample."""

    daily: Floats  # of x[t − daily lag]
    daily_level: Floats  # of level[t − daily lag]
    weekly: Floats  # of x[t − weekly lag]


def _runs(lags: Lags) -> list[int]:
    """Where rows of lags begin that differ from the row before, and the end."""
    changes = np.flatnonzero((lags[1:] != lags[:-1]).any(axis=1)) + 1
    return [0, *changes.tolist(), lags.shape[0]]


def weekly_median(values: Floats, lags: Lags, start: int, plain: Floats, *, holes: bool) -> Floats:
    """The same of weekly lags: of two weeks only, the days' median (S, rows) is the third; of one there is none.

    Otherwise a spike would be told again a week later, as a drop.
    """
    known = ((lags > 0) & (lags <= start + np.arange(lags.shape[0])[:, None])).sum(axis=1)
    return over_lags(values, np.where(known[:, None] > 1, lags, 0), start, holes=holes, third=plain)


def over_lags(values: Floats, lags: Lags, start: int, *, holes: bool, third: Floats | None = None) -> Floats:
    """Median of values[t − lag] over the lags of rows t = start … (S, rows); a lag of 0 is none.

    Where only two lags are known, `third` (S, rows) is added.
    A lag may point at the panel only: one to a step before or after it counts as none.
    """
    series, count = values.shape
    result = np.full((series, lags.shape[0]), np.nan, dtype=np.float32)
    edges = _runs(lags)
    for begin, end in pairwise(edges):
        views = []
        for lag in {int(lag) for lag in lags[begin] if lag > 0}:
            low, high = start + begin - lag, start + end - lag
            if low >= 0 and high <= count:
                views.append(values[:, low:high])
            elif high > 0 and low < count:
                part = np.full((series, end - begin), np.nan, dtype=np.float32)
                inside = slice(max(low, 0), min(high, count))
                part[:, inside.start - low : inside.stop - low] = values[:, inside]
                views.append(part)
        whole = not holes and all(view.base is not None for view in views)
        if len(views) == 2 and third is not None:
            views.append(third[:, begin:end])
            whole = whole and bool(np.isfinite(views[-1]).all())
        if views:
            result[:, begin:end] = median(views, holes=not whole)
    return result


def spread(blocks: Floats, first: int, count: int, steps: int) -> Floats:
    """A value per block as one per step (S, count), the first step being `first` steps into the first block."""
    if steps == 1:
        return blocks[:, first : first + count]
    return np.repeat(blocks, steps, axis=1)[:, first : first + count]


def block_lags(lags: Lags, before: int, steps: int) -> Lags:
    """Lags of the first step of each block, in blocks; of none that reaches less than a block back."""
    rows = np.clip(np.arange(-before, lags.shape[0], steps), 0, None)
    rows = rows[rows < lags.shape[0]]
    whole: Lags = np.floor_divide(lags[rows], np.int32(steps))
    return whole
