"""How spend spreads over weekdays and the ends of months, learned robustly from the days that are known."""

import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from controlplane.model.budget import Pace

Floats = NDArray[np.float64]
WEEKDAYS: Final = 7
MONTH_END_DAYS: Final = 3  # each of the last days of a month has its own effect, and so has the first
_EFFECTS: Final = WEEKDAYS + MONTH_END_DAYS + 1
_PRIOR_WEIGHT: Final = np.array([1.5] * WEEKDAYS + [0.6] * MONTH_END_DAYS + [0.6])  # in days; benchmarks/forecast.py
_PRIOR: Final = np.array([1.0] * WEEKDAYS + [0.0] * (MONTH_END_DAYS + 1))
_LEAST_DAYS: Final = 3
_LEAST_FACTOR: Final = 0.15  # a day that usually costs so little says nothing about the level
_LEAST_LEVEL: Final = 0.02
_ROUNDS: Final = 2
_HUBER: Final = 1.345  # 95 % efficient under normal errors (Huber 1981)
_RLM_ITERATIONS: Final = 8


def pace_factors(pace: Pace, days: Sequence[date]) -> Floats:
    """What the declared pace expects of each day, as a multiple of the mean weekday of 24 hours.

    On the days on which the pace's time zone turns its clocks a day has 23 or 25 hours.
    """
    weights = np.array([float(weight) for weight in pace.weekdays])
    mean = weights.mean() if weights.mean() > 0 else 1.0
    jump = float(pace.month_end)
    reach = timedelta(days=pace.month_end_days)
    zone = ZoneInfo(pace.time_zone)
    return np.array(
        [
            weights[day.weekday()] / mean * (jump if (day + reach).month != day.month else 1.0) * _length(day, zone)
            for day in days
        ]
    )


@lru_cache(maxsize=4096)
def _length(day: date, zone: ZoneInfo) -> float:
    begins, ends = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return (ends.astimezone(UTC) - begins.astimezone(UTC)) / timedelta(days=1)


def effects_of(days: Sequence[date]) -> Floats:
    """The design matrix: a column for each weekday, each of the last days of a month, and its first."""
    return np.array([_effects_of(day) for day in days]).reshape(len(days), _EFFECTS)


@lru_cache(maxsize=4096)
def _effects_of(day: date) -> tuple[float, ...]:
    row = [0.0] * _EFFECTS
    row[day.weekday()] = 1
    if day.day == 1:
        row[-1] = 1
    for ahead in range(1, MONTH_END_DAYS + 1):
        if (day + timedelta(days=ahead)).day == 1:
            row[WEEKDAYS + ahead - 1] = 1
    return tuple(row)


def unfamiliar(seen: Floats, ahead: Floats) -> Floats:
    """How little is known of the ends of months among days ahead: 1 of one that was never seen, towards 0 of others.

    Both are rows of a design matrix.
    """
    weight = _PRIOR_WEIGHT[WEEKDAYS:]
    unknown = weight / (weight + seen[:, WEEKDAYS:].sum(axis=0))
    return np.asarray((ahead[:, WEEKDAYS:] * unknown).max(axis=1, initial=0.0))


def learned_effects(amounts: Floats, effects: Floats) -> Floats:
    """What each effect multiplies (weekdays) or adds (ends of months) to a local level of 1; NaN amounts are missing.

    A robust regression (statsmodels RLM, Huber's T) of the ratio of each day to the running median, in which every
    effect begins as "none" and moves away from that by evidence: pseudo-observations of `_PRIOR_WEIGHT` days.
    """
    learned = _PRIOR.copy()
    level = running_median(amounts, WEEKDAYS)
    least = _LEAST_LEVEL * _typical_size(amounts)
    for _ in range(_ROUNDS):
        ratios = amounts / np.where(np.abs(level) < max(least, np.finfo(float).tiny), np.nan, level)
        if np.isfinite(ratios).sum() < _LEAST_DAYS:
            return learned
        learned = _regressed(ratios, effects)
        level = running_median(without_shape(amounts, effects @ learned), 5)
    return learned


def without_shape(amounts: Floats, factors: Floats) -> Floats:
    """Each day as if it were an average one; NaN for days of which too little is expected."""
    return np.where(factors > _LEAST_FACTOR, amounts / np.maximum(factors, _LEAST_FACTOR), np.nan)


def running_median(amounts: Floats, half: int) -> Floats:
    """The median of each day and `half` days on both of its sides; of fewer at the ends, NaN where all is missing."""
    padded = np.full(len(amounts) + 2 * half, np.nan)
    padded[half : half + len(amounts)] = amounts
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)  # NaN sorts last
    known = np.isfinite(windows).sum(axis=1)
    rows = np.arange(len(amounts))
    middle = (windows[rows, np.maximum(known - 1, 0) // 2] + windows[rows, known // 2]) / 2
    return np.where(known > 0, middle, np.nan)


def _regressed(ratios: Floats, effects: Floats) -> Floats:
    from statsmodels.api import RLM
    from statsmodels.robust.norms import HuberT

    known = np.isfinite(ratios)
    root = np.sqrt(_PRIOR_WEIGHT)
    design = np.vstack([effects[known], np.diag(root)])
    target = np.concatenate([ratios[known], root * _PRIOR])
    plain = np.linalg.lstsq(design, target, rcond=None)[0]
    if np.allclose(design @ plain, target, rtol=0, atol=1e-9):
        found = plain  # without any residual there is no scale that a robust fit could divide by
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a scale that became 0: most days fit exactly, which is well
            found = RLM(target, design, M=HuberT(t=_HUBER)).fit(maxiter=_RLM_ITERATIONS).params
    found = np.where(np.isfinite(found), found, _PRIOR)
    found[:WEEKDAYS] = np.maximum(found[:WEEKDAYS], 0)
    return np.asarray(found, dtype=np.float64)


def _typical_size(amounts: Floats) -> float:
    known = np.abs(amounts[np.isfinite(amounts)])
    return float(np.median(known)) if len(known) else 0.0
