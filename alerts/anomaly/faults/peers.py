"""What others do, to compare with: both look at the past hours alone, or nearly so."""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats

Z_WINDOWS: Final = (timedelta(hours=1), timedelta(days=1))
_LEAST: Final = 0.5  # of a window must be there


def rolling_z(values: Floats, window: int) -> Floats:
    """|x − mean| ÷ standard deviation of the `window` steps before, (S, T); NaN where half of them are missing.

    Where they do not differ at all, the smallest difference that a float32 can show stands for the deviation.
    """
    mean, deviation = _moving(values, window, offset=1)
    least = np.maximum(np.abs(mean) * 1e-6, 1e-9)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values - mean) / np.maximum(deviation, least), dtype=np.float32)


def grafana_adaptive(values: Floats, step: timedelta) -> Booleans:
    """The `adaptive` strategy of grafana/promql-anomaly-detection (rules/adaptive.yml, 2025) as arrays, (S, T).

    Middle: the mean of the past hour. Band: two deviations, averaged over 26 hours, of hours whose coefficient of
    variation exceeds 0.5; at least half of the middle; and as wide as the same hours of the day and the week before.
    Values of 0 and below are left out. An alarm is 5 minutes outside.
    """
    hour, day = round(timedelta(hours=1) / step), round(timedelta(days=1) / step)
    selected = np.where(values > 0, values, np.nan).astype(np.float64)
    mean, deviation = _moving(selected, hour, offset=0)
    restless = np.where(deviation > 0.5 * mean, deviation, np.nan)
    short = 2 * _moving(restless, 26 * hour, offset=0, least=1)[0]
    uppers, lowers = [mean + short, 1.5 * mean], [mean - short, 0.5 * mean]
    for back in (day - hour // 2, 7 * day - hour // 2):
        uppers.append(_later(mean + 2 * deviation, back))
        lowers.append(_later(mean - 2 * deviation, back))
    upper, lower = np.fmax.reduce(uppers), np.maximum(np.fmin.reduce(lowers), 0)
    with np.errstate(invalid="ignore"):
        outside = (selected > upper) | (selected < lower)
    return _lasting(outside, max(1, round(timedelta(minutes=5) / step)))


def _moving(
    values: NDArray[np.floating], window: int, *, offset: int, least: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (of the population, as PromQL's) of the last `window` steps that are `offset` ago."""
    known = np.isfinite(values)
    middle = np.where(known, values, 0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, values - middle, 0).astype(np.float64)
    number, total, squares = (_summed(each, window) for each in (known.astype(np.float64), filled, filled**2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / number
        deviation = np.sqrt(np.maximum(squares / number - mean**2, 0))
    few = number < (max(1, window * _LEAST) if least is None else least)
    mean, deviation = np.where(few, np.nan, mean + middle), np.where(few, np.nan, deviation)
    return _later(mean, offset), _later(deviation, offset)


def _summed(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    total = np.cumsum(values, axis=1)
    total[:, window:] -= total[:, :-window].copy()
    return total


def _later(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    moved = np.full_like(values, np.nan)
    if steps < values.shape[1]:
        moved[:, steps:] = values[:, : values.shape[1] - steps] if steps else values
    return moved


def _lasting(flags: Booleans, steps: int) -> Booleans:
    total = _summed(flags.astype(np.float64), steps) if steps < flags.shape[1] else np.cumsum(flags, axis=1)
    return np.asarray(total >= steps)
