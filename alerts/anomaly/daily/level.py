"""Follow the level of days without their shape, robustly: what is far off moves it little, until it stays."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.anomaly.daily.model import Amounts, Booleans

GAINS: Final = ((0.08, 0.0), (0.25, 0.0), (0.08, 0.006))
"""Of the level and of its trend: three ways of following, each tried on the series' own past."""
_CLIP: Final = 3.0  # deviations: more does not move the level (Gelper, Fried and Croux, Robust Holt-Winters, 2010: 2)
OUTSIDE: Final = 4.0  # deviations: that far away …
STAYS: Final = 3  # … for so many days in a row and on one side is a new level
_FORGET: Final = 0.04  # of the deviation, a day
_START: Final = 7


@dataclass(frozen=True, slots=True)
class Followed:
    """By way of following (W, S, D): what each day was expected to be, and where a new level was taken on."""

    expected: Amounts
    shifted: Booleans


def follow(values: Amounts, least: Amounts) -> Followed:
    """One day ahead, of (S, D) with NaN for days to skip; a deviation is never taken for smaller than `least` (S,).

    The first seven known days give the first level; what is said of them is not ahead.
    """
    series, days = values.shape
    gains = np.array(GAINS)[:, :, None]
    level, deviation = _begun(values, least)
    level = np.broadcast_to(level, (len(GAINS), series)).copy()
    deviation = np.broadcast_to(deviation, level.shape).copy()
    trend, run = np.zeros_like(level), np.zeros_like(level)
    latest = np.full((STAYS, series), np.nan)
    expected, shifted = np.empty((len(GAINS), series, days)), np.zeros((len(GAINS), series, days), dtype=np.bool_)
    for day in range(days):
        expected[:, :, day] = level + trend
        known = np.isfinite(values[:, day])
        error = np.where(known, values[:, day] - expected[:, :, day], 0)
        side = np.where(np.abs(error) > OUTSIDE * deviation, np.sign(error), 0)
        run = np.where(known, np.where((side != 0) & (np.sign(run) == side), run + side, side), run)
        small = np.clip(error, -_CLIP * deviation, _CLIP * deviation)
        level, trend = expected[:, :, day] + gains[:, 0] * small, trend + gains[:, 1] * small
        spread = deviation + _FORGET * (np.minimum(1.25 * np.abs(error), _CLIP * deviation) - deviation)
        deviation = np.where(known & (side == 0), np.maximum(spread, least), deviation)
        latest = np.where(known, np.concatenate([latest[1:], values[None, :, day]]), latest)
        moved = known & (np.abs(run) >= STAYS)
        shifted[:, :, day] = moved
        level, trend = np.where(moved, np.median(latest, axis=0), level), np.where(moved, 0, trend)
        run = np.where(moved, 0, run)
    return Followed(expected, shifted)


def best_way(errors: Amounts, least: Amounts) -> Amounts:
    """(S,) which way was nearest on days of the past (W, S, D); what was far off for all of them counts little."""
    away = np.abs(errors)
    known = np.isfinite(away)
    usual = np.maximum(_median(np.where(known, away, np.nan)), least)[:, :, None]
    cost = np.where(known, np.minimum(away, _CLIP * usual.min(axis=0, keepdims=True)), 0).sum(axis=2)
    return np.asarray(cost.argmin(axis=0))


def _median(values: Amounts) -> Amounts:
    """Along the last axis, of what is known; 0 of nothing."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(ordered).sum(axis=-1)
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, values.shape[-1] - 1)
    middle = (np.take_along_axis(ordered, low[..., None], -1) + np.take_along_axis(ordered, high[..., None], -1)) / 2
    return np.where(known > 0, middle[..., 0], 0)


def _begun(values: Amounts, least: Amounts) -> tuple[Amounts, Amounts]:
    """A level and a deviation from the first known days."""
    order = np.argsort(~np.isfinite(values), axis=1, kind="stable")[:, :_START]
    first = np.take_along_axis(values, order, axis=1)
    level = _median(first)
    return level, np.maximum(1.5 * _median(np.abs(first - level[:, None])), least)


median = _median
