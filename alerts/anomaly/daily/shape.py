"""What weekdays and the edges of months add to a day."""

import warnings
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from alerts.anomaly.daily.model import Amounts

EDGES: Final = 4
"""The last day of a month, the one and two before it, the first."""
_WEEKDAYS: Final = 7
WEEKEND: Final = 7  # column: what Saturdays and Sundays have in common
_FIRST_EDGE: Final = 8
COLUMNS: Final = _FIRST_EDGE + EDGES
_PRIOR_WEEKDAY: Final = 0.7
_PRIOR_EDGE: Final = 1.2
"""So many days speak for "no effect": two month ends outweigh it, one does not."""
_HUBER: Final = 1.345  # 95 % of least squares' efficiency on normal noise (Huber, Robust Statistics, 1981)
_ITERATIONS: Final = 6
_DAYS_OF_A_KIND: Final = 2  # that make a median
_HALF: Final = 7  # days on both sides of a running median
_LEAST_DAYS: Final = 14


def rows_of(first: date, days: int) -> Amounts:
    """(D, COLUMNS) of 0 and 1: which effects a day has."""
    rows = np.zeros((days, COLUMNS))
    for place in range(days):
        day = first + timedelta(days=place)
        rows[place, day.weekday()] = 1
        rows[place, WEEKEND] = day.weekday() >= 5
        for ahead in range(1, EDGES):
            rows[place, _FIRST_EDGE + ahead - 1] = (day + timedelta(days=ahead)).day == 1
        rows[place, -1] = day.day == 1
    return rows


def learned(values: Amounts, rows: Amounts) -> Amounts:
    """(COLUMNS,) what each effect adds, of one series (D,) on its scale; NaN days are missing. 0 with under 14 days.

    A robust regression (statsmodels RLM, Huber's T) of the distance of each day to the running median of 15 days, in
    which every effect begins as none and moves away from that by evidence. For that median alone, the days are first
    rid of the median of their weekday.
    """
    if np.isfinite(values).sum() < _LEAST_DAYS:
        return np.zeros(COLUMNS)
    rough = _weekday_medians(values - running_median(values, _HALF), rows)
    return _regressed(values - running_median(values - rough, _HALF), rows)


def parts_of(effects: Amounts, rows: Amounts) -> tuple[Amounts, Amounts]:
    """What the weekday and what the edge of the month adds, of effects (S, COLUMNS) on days (D, COLUMNS): (S, D)."""
    week, edge = slice(0, _FIRST_EDGE), slice(_FIRST_EDGE, COLUMNS)
    return effects[:, week] @ rows[:, week].T, effects[:, edge] @ rows[:, edge].T


def edge_of(rows: Amounts) -> Amounts:
    """(D,) which edge of the month a day is: 0 … EDGES − 1, −1 none."""
    edges = rows[:, _FIRST_EDGE:]
    return np.where(edges.any(axis=1), edges.argmax(axis=1), -1)


def running_median(values: Amounts, half: int) -> Amounts:
    """The median of each day and `half` days on both of its sides; of fewer at the ends, NaN where all is missing."""
    padded = np.full(len(values) + 2 * half, np.nan)
    padded[half : half + len(values)] = values
    windows = np.sort(sliding_window_view(padded, 2 * half + 1), axis=1)  # NaN sorts last
    known = np.isfinite(windows).sum(axis=1)
    at = np.arange(len(values))
    middle = (windows[at, np.maximum(known - 1, 0) // 2] + windows[at, known // 2]) / 2
    return np.where(known > 0, middle, np.nan)


def _weekday_medians(away: Amounts, rows: Amounts) -> Amounts:
    found = np.zeros(len(away))
    for weekday in range(_WEEKDAYS):
        those = rows[:, weekday] > 0
        known = away[those & np.isfinite(away)]
        if len(known) >= _DAYS_OF_A_KIND:
            found[those] = np.median(known)
    return found


def _regressed(away: Amounts, rows: Amounts) -> Amounts:
    from statsmodels.robust.norms import HuberT
    from statsmodels.robust.robust_linear_model import RLM

    known = np.isfinite(away)
    prior = np.sqrt(np.where(np.arange(COLUMNS) < _FIRST_EDGE, _PRIOR_WEEKDAY, _PRIOR_EDGE))
    design = np.vstack([rows[known], np.diag(prior)])
    target = np.concatenate([away[known], np.zeros(COLUMNS)])
    if np.abs(away[known]).max(initial=0.0) < 1e-9:
        return np.zeros(COLUMNS)  # without any residual there is no scale that a robust fit could divide by
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a scale that became 0: most days fit exactly, which is well
        found = RLM(target, design, M=HuberT(t=_HUBER)).fit(maxiter=_ITERATIONS).params
    if not np.isfinite(found).all():
        found = np.linalg.lstsq(design, target, rcond=None)[0]
    return np.asarray(found, dtype=np.float64)
