"""Where a series of average days stands and whither it goes: a few ways to say so, weighed by how right each was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from finops.forecast.shape import Floats, running_median

_FAR: Final = 4.0  # median absolute deviations from the days around; what is farther is pulled in to there
_NEIGHBOURS: Final = 3
_TOO_MANY: Final = 0.2  # a series of which so much is far has no usual days to tell it from
_LEAST_SPREAD: Final = 0.02  # of the level: nothing is steadier than that for the purpose of telling outliers
_NORMAL: Final = 1.4826  # median absolute deviation → standard deviation of normal errors
_FEW: Final = 7
_MEAN_DAYS: Final = 28
_TREND_FROM: Final = 14
_FURTHEST: Final = 3.0  # no trend leads beyond three times the level, or below a third of it


@dataclass(frozen=True, slots=True)
class Way:
    """How a level follows its days: exponential smoothing with damped trend (Gardner & McKenzie 1985).

    `gain` is what one day moves the level by, `trend_gain` the trend, `damping` what is left of the trend a day later.
    `prior` is what it weighs before anything was measured. A gain of 0 is the plain mean of the last four weeks, with
    every outlier in it.
    """

    gain: float
    trend_gain: float = 0.0
    damping: float = 1.0
    prior: float = 1.0

    @property
    def is_mean(self) -> bool:
        """Whether it is the plain mean."""
        return self.gain == 0


WAYS: Final = (
    Way(0.05),
    Way(0.2),
    Way(0.5),
    Way(0.0, prior=0.3),
    Way(0.15, 0.2, 0.98, prior=1.5),
    Way(0.075, 0.1, 0.98, prior=1.5),
)
"""Chosen by `python -m benchmarks forecast` on families of months that it then is not judged by alone."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Level and trend after each day, by one way."""

    way: Way
    level: Floats
    trend: Floats

    def ahead(self, origin: int, days: int) -> Floats:
        """What average days cost that come after day `origin`."""
        level, trend = float(self.level[origin]), float(self.trend[origin])
        steps = np.arange(1, days + 1)
        damping = self.way.damping
        reach = steps if damping == 1 else damping * (1 - damping**steps) / (1 - damping)
        ahead = level + reach * trend
        least, most = sorted((level / _FURTHEST, level * _FURTHEST))
        return np.clip(ahead, least, most)


def calmed(average_days: Floats) -> Floats:
    """Without gaps (interpolated) and with outliers pulled in, unless there are too many to be outliers.

    All zero when nothing is known.
    """
    around = running_median(average_days, _NEIGHBOURS)
    away = average_days - around
    known = np.isfinite(away)
    if not known.any():
        return np.zeros(len(average_days))
    spread = max(
        _NORMAL * float(np.median(np.abs(away[known]))),
        _LEAST_SPREAD * abs(float(np.median(average_days[known]))),
        float(np.finfo(float).tiny),
    )
    far = _FAR * spread
    if np.sum(np.abs(away[known]) > far) <= _TOO_MANY * known.sum():
        away = np.clip(away, -far, far)
    days = np.arange(len(average_days))
    return np.interp(days, days[known], (around + away)[known])


def followed(calm: Floats, raw: Floats) -> tuple[Followed, ...]:
    """The calm days by every way that there are days enough for; the plain mean follows the raw ones."""
    return tuple(
        _mean_of(way, np.where(np.isfinite(raw), raw, calm)) if way.is_mean else _smoothed(way, calm)
        for way in WAYS
        if way.trend_gain == 0 or len(calm) >= _TREND_FROM
    )


def _mean_of(way: Way, days: Floats) -> Followed:
    sums = np.concatenate([[0.0], np.cumsum(days)])
    end = np.arange(1, len(days) + 1)
    begin = np.maximum(end - _MEAN_DAYS, 0)
    return Followed(way, (sums[end] - sums[begin]) / (end - begin), np.zeros(len(days)))


def _smoothed(way: Way, days: Floats) -> Followed:
    states = np.array(list(_states(way, days.tolist())))
    return Followed(way, states[:, 0], states[:, 1])


def _states(way: Way, days: Sequence[float]) -> Iterator[tuple[float, float]]:
    level, trend = float(np.median(days[:_FEW])), 0.0
    for index, day in enumerate(days):
        gain = max(way.gain, 1 / (index + 1.5))  # the first days count as in a mean
        expected = level + way.damping * trend
        moved = expected + gain * (day - expected)
        trend = way.damping * trend + way.trend_gain * (moved - level - way.damping * trend) if way.trend_gain else 0.0
        level = moved
        yield level, trend
