"""Lags of days that all have 24 hours and are all alike."""

import numpy as np

from alerts.anomaly.detector.model import Grid, Phases

DAYS = 7
WEEKS = 4


def plain_phases(grid: Grid) -> Phases:
    """Lags in UTC without calendars: daily 1 … 7 days, weekly 1 … 4 weeks; 0 where there is none yet.

    For a model that is to score what comes after the panel, give a grid that is longer than the panel.
    """
    steps = np.arange(grid.count, dtype=np.int32)[:, None]
    daily = np.arange(1, DAYS + 1, dtype=np.int32)[None, :] * np.int32(grid.per_day)
    weekly = np.arange(1, WEEKS + 1, dtype=np.int32)[None, :] * np.int32(7 * grid.per_day)
    return Phases(np.where(daily <= steps, daily, 0), np.where(weekly <= steps, weekly, 0))
