"""A rule set of the shape that Sloth generates, written here: 14 raw scans and a 30-day average of 5-minute ratios.

The shape is read from Sloth's published examples: an error ratio per window over the raw series for the windows of
the SRE Workbook (chapter 5), and `sum_over_time(…[30d]) / count_over_time(…[30d])` of the 5-minute one.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.month import STEP_SECONDS, ServiceMonth
from slo.replay.sliding import last

WINDOWS: Final = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}  # minutes
PAGE: Final = ((5, 60, 14.4), (30, 360, 6.0))
TICKET: Final = ((120, 1440, 3.0), (360, 4320, 1.0))
AVERAGED: Final = "slo:sli_error:ratio_rate5m"


def expressions(service: str) -> list[str]:
    """What Prometheus evaluates each minute for one SLO."""
    errors = f'http_requests_total{{job="{service}",code=~"5.."}}'
    total = f'http_requests_total{{job="{service}"}}'
    own = f'{AVERAGED}{{sloth_id="{service}"}}'
    scans = [f"sum(rate({errors}[{window}])) / sum(rate({total}[{window}]))" for window in WINDOWS]
    return [*scans, f"sum_over_time({own}[30d]) / ignoring (sloth_window) count_over_time({own}[30d])"]


def minutes(month: ServiceMonth) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Total and bad events of each minute; unscraped steps count nothing."""
    seen = month.observed()
    per_minute = 60 // STEP_SECONDS
    return tuple(  # type: ignore[return-value]
        np.where(seen, counts, 0).reshape(-1, per_minute).sum(axis=1).astype(np.float64)
        for counts in (month.total, month.bad)
    )


def alerting(month: ServiceMonth, pairs: tuple[tuple[int, int, float], ...]) -> NDArray[np.bool_]:
    """Whether one of the window pairs is over its threshold, at the end of each minute.

    The ratio over a window is a ratio of sums, which is what `sum(rate(…)) / sum(rate(…))` estimates.
    """
    total, bad = minutes(month)
    firing = np.zeros(len(total), dtype=bool)
    for short, long, factor in pairs:
        limit = factor * month.budget_ratio
        firing |= (_ratio(bad, total, short) > limit) & (_ratio(bad, total, long) > limit)
    return firing


def _ratio(bad: NDArray[np.float64], total: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return last(bad, window) / last(total, window)
