"""Samples as they are scored: rates of counters, roots of counts, ratios of enough."""

import numpy as np

from alerts.anomaly.detector.model import Floats
from alerts.anomaly.detector.settings import LARGEST
from alerts.anomaly.model import Values

MOST_STEPS_OF_RATE = 5


def clean(values: Floats) -> Floats:
    """float32 without infinities: an infinite sample is none, and what float32 cannot subtract is cut to 1e37."""
    with np.errstate(over="ignore", invalid="ignore"):
        cut = np.asarray(values, dtype=np.float32)
        if np.isfinite(cut).all() and (not cut.size or float(np.abs(cut).max()) <= LARGEST):
            return cut
        known = np.where(np.isfinite(np.asarray(values)), np.asarray(values), np.nan)
        return np.clip(known, -LARGEST, LARGEST).astype(np.float32)


def rates(values: Floats, step_seconds: float, *, most_steps: int = MOST_STEPS_OF_RATE) -> Floats:
    """Rates a second (S, T) of counters: the increase since the sample before over the time since.

    A fall is a reset: the counter began at 0 again (as Prometheus' `rate` takes it). NaN where there is no sample, and
    where the sample before is more than `most_steps` steps away: an increase of unknown time is no rate.
    """
    series, count = values.shape
    columns = np.arange(count)
    exact = np.asarray(values, dtype=np.float64)
    last = np.maximum.accumulate(np.where(np.isfinite(exact), columns, -1), axis=1)
    before = np.concatenate([np.full((series, 1), -1), last[:, :-1]], axis=1)
    earlier = np.take_along_axis(exact, np.maximum(before, 0), axis=1)
    with np.errstate(invalid="ignore"):
        increase = np.where(exact >= earlier, exact - earlier, exact)
        apart = np.maximum(columns - before, 1)
        result = increase / (apart * step_seconds)
        good = (before >= 0) & (apart <= most_steps) & (exact >= 0)
    return np.where(good, result, np.nan).astype(np.float32)


def scored(values: Floats, kind: Values) -> Floats:
    """On the scale on which noise is alike: the square root of counts (variance-stabilising, Bartlett 1936)."""
    return np.sign(values) * np.sqrt(np.abs(values)) if kind is Values.COUNT else values


def original(values: Floats, kind: Values) -> Floats:
    """Back to the samples' own scale; a count is not below 0."""
    return np.square(np.maximum(values, 0)) if kind is Values.COUNT else values
