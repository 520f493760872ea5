"""Estimates with their 95 % intervals, as exact decimals. No value without data, no interval where there are too few.

Sources stand with each formula. Intervals say how far chance alone may have moved a figure, were the same process to
run again; they say nothing of what was not recorded.
"""

import math
from decimal import Decimal
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from exporters.dora.model import NOTHING, Distribution, Estimate

Numbers = npt.NDArray[np.int32]
QUANTILES: Final = (Decimal("0.5"), Decimal("0.75"), Decimal("0.9"), Decimal("0.95"))
FEWEST_DAYS: Final = 7  # fewer tell nothing of how bursty deployments are
_TAIL: Final = 0.025  # on either side of a 95 % interval
_Z: Final = NormalDist().inv_cdf(1 - _TAIL)
_PLACES: Final = Decimal("0.000001")
_SPREAD: Final = 10  # standard deviations around the middle beyond which nothing of a binomial distribution lies
_LEAST: Final = 1e-12


def distribution(durations: Numbers) -> Distribution:
    """Of durations in whole seconds, in any order; negative ones are none. Mean and quantiles; see `quantile`.

    The mean has no interval: durations are so skewed that one from its standard error promises too much.
    """
    ordered = np.sort(durations[durations >= 0])
    if not len(ordered):
        return Distribution()
    mean = (Decimal(int(ordered.sum(dtype=np.int64))) / len(ordered)).quantize(_PLACES)
    return Distribution({share: quantile(ordered, share) for share in QUANTILES}, Estimate(_plain(mean), len(ordered)))


def quantile(ordered: Numbers, share: Decimal) -> Estimate:
    """Of sorted numbers, interpolated between neighbours, with an interval that assumes no distribution.

    Value: Hyndman and Fan, Sample Quantiles in Statistical Packages (The American Statistician 50, 1996), type 7.
    Interval: the order statistics between which it lies with 95 %, each tail ≤ 2.5 % (Hahn and Meeker, Statistical
    Intervals, 1991, 5.2); None where no pair of them does, for the median below six values.
    """
    count = len(ordered)
    if not count:
        return NOTHING
    ends = ranks(count, float(share))
    bounds = (None, None) if ends is None else (Decimal(int(ordered[ends[0]])), Decimal(int(ordered[ends[1]])))
    return Estimate(interpolated(ordered, share), count, *bounds)


def interpolated(ordered: Numbers, share: Decimal) -> Decimal:
    """The quantile alone, of at least one sorted number."""
    place = (len(ordered) - 1) * share
    below = int(place)
    low, high = int(ordered[below]), int(ordered[min(below + 1, len(ordered) - 1)])
    return _plain(low + (place - below) * (high - low))


def median(durations: Numbers) -> Decimal | None:
    """Of durations in any order; negative ones are none."""
    ordered = np.sort(durations[durations >= 0])
    return interpolated(ordered, QUANTILES[0]) if len(ordered) else None


@lru_cache(maxsize=10_000)
def ranks(count: int, share: float) -> tuple[int, int] | None:
    """The positions in sorted order between which the quantile lies with 95 %; None where there are too few values.

    X₍l₎ lies above it when fewer than l of n values are below it: P(B ≤ l − 1) ≤ 2.5 %, B binomial (n, share).
    """
    middle, deviation = count * share, math.sqrt(count * share * (1 - share))
    first = max(int(middle - _SPREAD * deviation) - 1, 0)
    last = min(int(middle + _SPREAD * deviation) + 2, count)
    at_most = _binomial(count, share, first, last)  # P(B ≤ first), P(B ≤ first + 1), …
    below = int(np.searchsorted(at_most, _TAIL, side="right"))  # how many of them are at most 2.5 %
    above = int(np.searchsorted(at_most, 1 - _TAIL - _LEAST, side="left"))  # the first that is at least 97.5 %
    if first + below < 1 or first + above > count - 1:
        return None
    return first + below - 1, first + above


def _binomial(count: int, share: float, first: int, last: int) -> npt.NDArray[np.float64]:
    """The distribution function at first … last; what lies further out is 0 to 15 digits."""
    start = math.lgamma(count + 1) - math.lgamma(first + 1) - math.lgamma(count - first + 1)
    start += first * math.log(share) + (count - first) * math.log1p(-share)
    places = np.arange(first, last, dtype=np.float64)
    steps = np.log((count - places) / (places + 1)) + math.log(share) - math.log1p(-share)
    return np.cumsum(np.exp(np.concatenate(([start], start + np.cumsum(steps)))))


def rate(hits: int, count: int) -> Estimate:
    """A share with its score interval (Wilson, JASA 22, 1927), good for few and for rare ones.

    Recommended by Brown, Cai, DasGupta, Interval Estimation for a Binomial Proportion (Statistical Science 16, 2001).
    """
    if not count:
        return NOTHING
    share, square = hits / count, _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    lower = _decimal(max(middle - half, 0.0) if hits else 0.0)
    upper = _decimal(min(middle + half, 1.0) if hits < count else 1.0)
    return Estimate(_plain((Decimal(hits) / count).quantize(_PLACES)), count, lower, upper)


def per_day(counts: npt.NDArray[np.int64], length_days: Decimal) -> Estimate:
    """The mean number a day, of the numbers of each day, which may come in bursts.

    A Poisson mean has Garwood's interval (Biometrika 28, 1936), here in Byar's approximation (Breslow and Day,
    Statistical Methods in Cancer Research II, 1987, 2.3). Deployments are no Poisson process: they come in bursts and
    rest at weekends. Their dispersion φ is estimated as variance ÷ mean of the numbers of a day, at least 1, and n/φ
    independent bursts are taken for n deployments (quasi-Poisson: McCullagh and Nelder, Generalized Linear Models,
    1989, 6.2.3). Nobody can tell φ from less than a week: no interval then. Zero deployments have one, too.
    """
    count = int(counts.sum())
    value = _plain((Decimal(count) / length_days).quantize(_PLACES))
    if len(counts) < FEWEST_DAYS:
        return Estimate(value, count)
    mean = count / len(counts)
    dispersion = max(float(counts.var(ddof=1)) / mean, 1.0) if count else 1.0
    lower, upper = _byar(count / dispersion)
    days = float(length_days)
    return Estimate(value, count, _decimal(lower * dispersion / days), _decimal(upper * dispersion / days))


def _byar(count: float) -> tuple[float, float]:
    lower = count * max(1 - 1 / (9 * count) - _Z / (3 * math.sqrt(count)), 0.0) ** 3 if count else 0.0
    more = count + 1
    upper = more * (1 - 1 / (9 * more) + _Z / (3 * math.sqrt(more))) ** 3
    return lower, upper


def _decimal(number: float) -> Decimal:
    return _plain(Decimal(repr(number)).quantize(_PLACES))


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    plain = number.normalize()
    return plain.quantize(Decimal(1)) if plain.as_tuple().exponent in range(1, 100) else plain
