"""The days ahead: their expected cost, and how far off that has been for as many days at once.

The spread is measured by rolling origins on the series itself (Hyndman & Athanasopoulos, Forecasting, 5.10) and leans
on what was measured over many series while the series is short.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from finops.forecast.levels import Followed, calmed, followed
from finops.forecast.shape import Floats, without_shape

HORIZONS: Final = (7, 14)
_LEAST_ORIGIN: Final = 4
_MOST_ORIGINS: Final = 120
_WORST: Final = 3.0  # errors beyond three times the level say no more than that
_PRIOR_FORECASTS: Final = 10.0  # that each way's prior weight is worth
_AS_GOOD_AS_RIGHT: Final = 0.005  # of the level: smaller errors tell no way from another
_SHARPNESS: Final = 8.0  # a way that is 10 % worse than the best weighs 1/e^0.8 of it
_MOSTLY_IDLE: Final = 0.2
_UNUSUAL_DAYS: Final = 120.0  # days without anything unusual that a series is credited with

# variance of the mean error of h days, in squares of the level: drift + drift_short/(n + 1) + drift_long·h + daily/h
DRIFT: Final = 0.002
DRIFT_SHORT: Final = 0.02
DRIFT_LONG: Final = 0.0
DAILY: Final = 0.003
_DAILY_WEIGHT: Final = 10.0
_SPREAD_WEIGHT: Final = 3.0
_OVERLAP: Final = 1.5
UNFAMILIAR: Final = 0.35  # of the level: how far days of a kind that was never seen are off, all to the same side
_APART: Final = 2.0  # what it adds when the ways do not agree
QUANTILE: Final = 1.35  # of an 80 % interval; 1.28 for normal errors whose spread is known


@dataclass(frozen=True, slots=True)
class Outlook:
    """Expected cost and half the width of the interval of the first 1, 2, … days ahead together."""

    middle: Floats
    half: Floats


@dataclass(frozen=True, slots=True)
class _Trial:
    """A horizon, tried at every origin: what it was, and what each way said (ways × origins), in levels."""

    horizon: int
    actual: Floats
    said: Floats


def outlook(amounts: Floats, factors: Floats, factors_ahead: Floats, unfamiliar: Floats) -> tuple[Outlook, Floats]:
    """What the days ahead will cost, and what each day so far usually would have.

    NaN amounts are missing; at least one must be known, and one day lie ahead. Factors are what is expected of each day
    in average days; `unfamiliar` is 1 for days ahead of a kind that was never seen, such as a first month end, 0 for
    those that were often seen.
    """
    average_days = without_shape(amounts, factors)
    calm = calmed(average_days)
    level = _size(average_days, calm)
    if level == 0:
        return Outlook(np.zeros(len(factors_ahead)), np.zeros(len(factors_ahead))), np.zeros(len(amounts))
    ways = followed(calm, average_days)
    usual = calm * factors
    days = np.where(np.isfinite(amounts), amounts, usual)
    lift = np.array([1.0 if each.way.is_mean else 1 + _unusual(days, usual, level) for each in ways])
    trials = tuple(_trials(ways, days, factors, len(factors_ahead), level))
    weights = _weights(ways, trials)
    each = lift[:, None] * np.array([np.cumsum(way.ahead(-1, len(factors_ahead)) * factors_ahead) for way in ways])
    middle = weights @ each
    size = np.maximum(np.cumsum(factors_ahead), 1e-9) * level
    apart = (weights @ (each - middle) ** 2) / size**2
    spread = _Spread(len(days), _daily(days - usual, calm, level))
    odd = (UNFAMILIAR * np.cumsum(unfamiliar) * level / size) ** 2
    variance = (
        spread.expected(np.arange(1.0, len(factors_ahead) + 1)) * spread.surprise(trials, weights)
        + _APART * apart
        + odd
    )
    return Outlook(middle, QUANTILE * size * np.sqrt(variance)), usual


def _size(average_days: Floats, calm: Floats) -> float:
    """What errors are told in: the mean size of a day, with outliers only where there is little but outliers."""
    calm_size = float(np.mean(np.abs(calm)))
    raw_size = float(np.mean(np.abs(np.where(np.isfinite(average_days), average_days, calm))))
    return raw_size if calm_size < _MOSTLY_IDLE * raw_size else calm_size


def _unusual(days: Floats, usual: Floats, level: float) -> float:
    """What outliers add to the usual days, as a share of them: spikes and credits will come again."""
    return float((days - usual).sum() / (np.abs(usual).sum() + _UNUSUAL_DAYS * level))


def _trials(ways: Sequence[Followed], days: Floats, factors: Floats, ahead: int, level: float) -> Iterator[_Trial]:
    for horizon in sorted({*(each for each in HORIZONS if each < ahead), ahead}):
        first = max(_LEAST_ORIGIN, len(days) - horizon - _MOST_ORIGINS)
        origins = np.arange(first, len(days) - horizon)
        if not len(origins):
            continue
        coming = np.lib.stride_tricks.sliding_window_view(factors, horizon)[origins + 1]
        actual = np.lib.stride_tricks.sliding_window_view(days, horizon)[origins + 1].sum(axis=1)
        scale = np.maximum(coming.sum(axis=1), 1e-9) * level
        said = np.array([_said(each, origins, coming) for each in ways])
        yield _Trial(horizon, actual / scale, said / scale)


def _said(each: Followed, origins: NDArray[np.int_], coming: Floats) -> Floats:
    """Sums of the days that came after each origin, from the level and the trend there."""
    reach = np.cumsum(each.way.damping ** np.arange(1, coming.shape[1] + 1))
    return np.asarray(each.level[origins] * coming.sum(axis=1) + each.trend[origins] * (coming @ reach))


def _weights(ways: Sequence[Followed], trials: Sequence[_Trial]) -> Floats:
    prior = np.array([each.way.prior for each in ways])
    prior /= prior.sum()
    tried = sum(len(trial.actual) for trial in trials)
    if not tried:
        return prior
    errors = np.concatenate([np.minimum(np.abs(trial.actual - trial.said), _WORST) for trial in trials], axis=1)
    score = errors.mean(axis=1)
    measured = np.exp(-_SHARPNESS * (score / max(score.min(), _AS_GOOD_AS_RIGHT) - 1))
    measured /= measured.sum()
    return np.asarray((tried * measured + _PRIOR_FORECASTS * prior) / (tried + _PRIOR_FORECASTS))


def _daily(residuals: Floats, calm: Floats, level: float) -> float:
    """Variance of one day around its level, in squares of the level."""
    unusual = np.clip(residuals / level, -6, 6)
    moves = np.clip(np.diff(calm) / level, -3, 3)
    seen = float(np.sum(unusual**2) + np.sum(moves**2) / 2)
    return (seen + _DAILY_WEIGHT * DAILY) / (len(residuals) + _DAILY_WEIGHT)


@dataclass(frozen=True, slots=True)
class _Spread:
    """How far off the mean of some days ahead is to be expected, after `days` days whose variance was `daily`."""

    days: int
    daily: float

    def expected(self, horizon: Floats | int) -> Floats:
        """Its variance, in squares of the level, before this series was tried."""
        drift = DRIFT + DRIFT_SHORT / (self.days + 1) + DRIFT_LONG * np.asarray(horizon)
        return np.asarray(drift + self.daily / np.asarray(horizon))

    def surprise(self, trials: Sequence[_Trial], weights: Floats) -> float:
        """What trials say that has to be multiplied with. Horizons overlap, so that few of them are evidence."""
        seen, evidence = _SPREAD_WEIGHT, _SPREAD_WEIGHT
        for trial in trials:
            errors = np.clip(trial.actual - weights @ trial.said, -_WORST, _WORST)
            independent = _OVERLAP * len(errors) / trial.horizon
            seen += independent * float(np.mean(errors**2) / self.expected(trial.horizon))
            evidence += independent
        return seen / evidence
