"""By how much spend fell at a step: what would have been spent less what was, and how sure that is.

What would have been is the level just before the step, moved by the load since then as a straight line moves it:
`before × (1 + e × (after − 1)) ÷ (1 + e × (before − 1))`, with loads as multiples of their usual mean. The elasticity
`e` (how much of the spend follows the load) is fitted to full-service history and leans on what is usual where that
says little.

The interval comes from *placebo steps*: the same sum is made at moments of the past at which nothing happened, with
windows of the same lengths the same distance apart; by how much it is wrong there is how wrong it may be here (Abadie,
Diamond & Hainmueller 2010 call it placebo inference). Whatever moves spend between two windows is in it: noise and its
autocorrelation, hours of the day, deployments. Without enough history it is Student's t on the variance of the blocks,
with the effective number of blocks of an AR(1) process (Bayley & Hammersley 1946).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from finops.ladder.savings.history import LEAST_KNOWN, Floats, History, Window, window_means

LEAST_BLOCKS: Final = 3  # on either side
MOST_BEFORE: Final = 12
_LEAST_PLACEBOS: Final = 8  # that do not overlap
_SHARE: Final = 0.8
_PRIOR: Final = (0.75, 0.3)  # of the elasticity: mean and standard deviation
_USUAL_CORRELATION: Final = (0.4, 12)  # of neighbouring blocks, and how many blocks that weighs
_LEAST_CORRELATION: Final = 0.2  # entries of a ledger overlap
_MOST_CORRELATION: Final = 0.85
_LEAST_FREEDOM: Final = 2.0
_LEAST_HALF: Final = 1e-9  # of an interval, so that certainty can be weighed
_HISTORY_CORRELATED: Final = 12  # blocks of history that say as much as one
_LEAST_LOAD_SPREAD: Final = 0.01
_LEAST_SHARE: Final = 0.05  # of its mean that spend is taken to be at the least load


@dataclass(frozen=True, slots=True)
class Measured:
    """Money an hour: what a step saved, its 80 % interval, and what would have been spent. `placebos` is 0 where the
    interval rests on the blocks alone."""

    saving: float
    low: float
    high: float
    without: float
    placebos: int


def combined(one: Measured, other: Measured) -> Measured:
    """What two measurements of one thing say together, each weighed by how sure it is.

    The time in force is often in both, and is half of what makes each of them wrong: their errors go half together.
    """
    halves = [max((each.high - each.low) / 2, _LEAST_HALF) for each in (one, other)]
    weights = [1 / half**2 for half in halves]
    shares = [weight / sum(weights) for weight in weights]
    errors = [share * half for share, half in zip(shares, halves, strict=True)]
    half = math.sqrt(errors[0] ** 2 + errors[1] ** 2 + errors[0] * errors[1])
    saving = shares[0] * one.saving + shares[1] * other.saving
    return Measured(saving, saving - half, saving + half, one.without, min(one.placebos, other.placebos))


def reversed_(found: Measured) -> Measured:
    """What a step down took back is what its tier saved."""
    return Measured(-found.saving, -found.high, -found.low, found.without - found.saving, found.placebos)


def measure(history: History, before: Window, after: Window) -> Measured | None:
    """The saving of a step between two windows; None when too little is known of either."""
    level, kept = _mean(history.money, before), _mean(history.money, after)
    if level is None or kept is None:
        return None
    line = _line(history)
    moved, lever = (float(each) for each in line.moved(*_loads(history, before, after)))
    without = level * moved
    saving = without - kept
    extra = level * lever * line.doubt
    placebo = _placebo_error(history, before, after, line)
    if placebo is not None:
        error, count = placebo
        half = student(count - 1) * math.hypot(error * max(without, kept), extra)
        return Measured(saving, saving - half, saving + half, without, count)
    variance, freedom = _block_variance(history, before, after)
    half = student(freedom) * math.hypot(math.sqrt(variance), extra)
    return Measured(saving, saving - half, saving + half, without, 0)


def student(freedom: float) -> float:
    """The quantile of Student's t that 80 % of all cases lie within, both sides.

    By the expansion of Cornish and Fisher (Abramowitz & Stegun 26.7.5), exact to 0.2 % from 2 degrees on.
    """
    if freedom < 2:
        return 3.078 if freedom <= 1 else 3.078 + (freedom - 1) * (1.886 - 3.078)
    z = 1.2815515655446004
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def _mean(values: Floats, window: Window) -> float | None:
    part = values[max(window[0], 0) : max(window[1], 0)]
    known = part[np.isfinite(part)]
    if len(known) < LEAST_BLOCKS or len(known) < LEAST_KNOWN * (window[1] - window[0]):
        return None
    return float(known.mean())


@dataclass(frozen=True, slots=True)
class _Line:
    """How spend follows the load: `usual` is the mean load, `doubt` the standard error of the elasticity."""

    elasticity: float
    doubt: float
    usual: float

    def moved(self, before: Floats, after: Floats) -> tuple[Floats, Floats]:
        """By what spend moves with the load, and how much more for an elasticity 1 higher; 1 and 0 where unknown."""
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high = before / self.usual - 1, after / self.usual - 1
            base = np.maximum(1 + self.elasticity * low, _LEAST_SHARE)
            moved = np.maximum(1 + self.elasticity * high, 0) / base
            lever = np.abs(high - low) / base**2
        is_known = np.isfinite(moved) & (before > 0)
        return np.where(is_known, moved, 1.0), np.where(is_known, lever, 0.0)


def _loads(history: History, before: Window, after: Window) -> tuple[Floats, Floats]:
    earlier, later = (None if history.load is None else _mean(history.load, each) for each in (before, after))
    return np.array(np.nan if earlier is None else earlier), np.array(np.nan if later is None else later)


def _line(history: History) -> _Line:
    """Fitted to full service: an elasticity between 0 and 1.2."""
    mean, doubt = _PRIOR
    if history.load is None:
        return _Line(0.0, 0.0, 1.0)
    known = history.is_full & np.isfinite(history.money) & np.isfinite(history.load)
    money, load = history.money[known], history.load[known]
    if len(money) < 2 * _HISTORY_CORRELATED or load.mean() <= 0 or money.mean() <= 0:
        everything = history.load[np.isfinite(history.load)]
        return _Line(mean, doubt, float(everything.mean()) if len(everything) else 1.0)
    x, y = load / load.mean() - 1, money / money.mean() - 1
    spread = float(x @ x)
    if spread < len(x) * _LEAST_LOAD_SPREAD**2:
        return _Line(mean, doubt, float(load.mean()))
    slope = float(x @ y) / spread
    rest = y - slope * x
    variance = float(rest @ rest) / len(x) / spread * _HISTORY_CORRELATED
    weight, prior = 1 / max(variance, 1e-9), 1 / doubt**2
    fitted = (slope * weight + mean * prior) / (weight + prior)
    return _Line(min(max(fitted, 0.0), 1.2), math.sqrt(1 / (weight + prior)), float(load.mean()))


def _placebo_error(history: History, before: Window, after: Window, line: _Line) -> tuple[float, int] | None:
    """How wrong the same sum is where nothing happened, as a share of what would have been, and of how many moments."""
    span = after[1] - before[0]
    count = before[0] - span
    if count < 1:
        return None
    at = np.arange(count)
    ends = (at, at + before[1] - before[0]), (at + after[0] - before[0], at + span)
    level, kept = window_means(history.money, *ends[0]), window_means(history.money, *ends[1])
    without = level
    if history.load is not None:
        loads = [window_means(history.load, *end) for end in ends]
        without = level * line.moved(loads[0], loads[1])[0]
    same = (history.regime[at] == history.regime[at + span - 1]) & (history.regime[at] >= 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        wrong = (without - kept) / np.maximum(without, kept)
    wrong = wrong[same & np.isfinite(wrong)]
    independent = len(wrong) // span
    if independent < _LEAST_PLACEBOS:
        return None
    return float(np.sqrt(np.mean(wrong**2))), independent


def _block_variance(history: History, before: Window, after: Window) -> tuple[float, float]:
    """The variance of the difference of two means of autocorrelated blocks, and its degrees of freedom.

    Both windows are taken to vary alike, each around its own mean, which lies nearer to its blocks than the true one.
    """
    parts = [_known(history.money, window) for window in (before, after)]
    correlation = _correlation(parts)
    shrunk = [max(len(part) * (1 - correlation) / (1 + correlation), 1.0) for part in parts]
    number = sum(len(part) for part in parts)
    squares = sum(float(np.sum((part - part.mean()) ** 2)) for part in parts)
    lost = sum(len(part) / effective for part, effective in zip(parts, shrunk, strict=True))
    variance = squares / max(number - lost, number / 4)
    freedom = max(number * (1 - correlation**2) / (1 + correlation**2) - 2, _LEAST_FREEDOM)
    return variance * sum(1 / effective for effective in shrunk), freedom


def _known(values: Floats, window: Window) -> Floats:
    part = values[max(window[0], 0) : max(window[1], 0)]
    return part[np.isfinite(part)]


def _correlation(parts: list[Floats]) -> float:
    """Of neighbouring blocks; what few of them say is mended (Kendall 1954) and leans on what is usual."""
    products = squares = 0.0
    number = 0
    for part in parts:
        away = part - part.mean()
        products += float(away[1:] @ away[:-1])
        squares += float(away @ away)
        number += len(part)
    found = products / squares if squares > 0 else 0.0
    mended = found + (1 + 3 * found) / max(number / 2, 4)
    usual, blocks = _USUAL_CORRELATION
    weighed = (mended * number + usual * blocks) / (number + blocks)
    return min(max(weighed, _LEAST_CORRELATION), _MOST_CORRELATION)
