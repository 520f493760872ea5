"""Series for the detector's tests."""

from datetime import timedelta

import numpy as np

from alerts.anomaly.detector.model import Floats, Grid, Panel, Phases
from alerts.anomaly.detector.utc import plain_phases

HALF_HOUR = timedelta(minutes=30)


def seasonal(series: int, days: int, per_day: int = 48, *, noise: float = 0.05, seed: int = 1) -> Floats:
    """A day's shape, a quieter weekend, and noise in proportion."""
    random = np.random.default_rng(seed)
    steps = np.arange(days * per_day)
    shape = (1 + 0.5 * np.sin(2 * np.pi * steps / per_day)) * np.where(steps // per_day % 7 < 5, 1, 0.8)
    values: Floats = (100 * shape * (1 + noise * random.standard_normal((series, len(steps))))).astype(np.float32)
    return values


def panel(values: Floats, step: timedelta = HALF_HOUR, first: int = 0, ahead: int = 0, **masks: object) -> Panel:
    """On a grid in UTC, with lags that reach `ahead` steps further."""
    grid = Grid(first, step, values.shape[1])
    fitted = masks.get("fitted")
    assert fitted is None or isinstance(fitted, np.ndarray)
    return Panel(values, grid, plain_phases(Grid(first, step, values.shape[1] + ahead)), fitted)


def until(whole: Panel, count: int, ahead: int) -> Panel:
    """Its first steps, with lags that reach `ahead` further."""
    phases = Phases(whole.phases.daily[: count + ahead], whole.phases.weekly[: count + ahead])
    fitted = None if whole.fitted is None else whole.fitted[:, :count]
    return Panel(whole.values[:, :count], Grid(whole.grid.first, whole.grid.step, count), phases, fitted)
