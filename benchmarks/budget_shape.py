"""Our page and ticket conditions on a month's own counts, minute by minute, as `slo.compiler` writes them.

Quick enough for many months; the month that a real Prometheus evaluates tells how well the two agree.
"""

from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.classic_shape import last, minutes
from benchmarks.month import DAYS, STEPS, ServiceMonth
from controlplane.burn_rate import STANDARD_TIERS, Urgency, threshold

ROLLING: Final = 5  # minutes that one rolling entry counts
LEAST_BAD_EVENTS: Final = 2.5


def alerting(month: ServiceMonth, urgency: Urgency) -> NDArray[np.bool_]:
    """Whether a tier of that urgency is over its limits, at the end of each minute."""
    total, bad = (last(counts, ROLLING) for counts in minutes(month))
    covered = np.cumsum(month.observed().reshape(-1, 2).all(axis=1)) / (STEPS // 2)
    budget = month.budget_ratio * np.cumsum(minutes(month)[0]) / covered
    firing = np.zeros(len(total), dtype=bool)
    for tier in STANDARD_TIERS:
        if tier.urgency is not urgency:
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            burn = _entries(bad, tier.short) / _entries(total, tier.short) / month.budget_ratio
        fast = burn > float(threshold(tier, timedelta(days=DAYS)))
        limit = np.maximum(float(tier.budget_share) * budget, LEAST_BAD_EVENTS)
        for window in tier.spent_within:
            firing |= fast & (_entries(bad, window) > limit)
    return firing


def _entries(rolling: NDArray[np.float64], window: timedelta) -> NDArray[np.float64]:
    """Events of a window from the rolling series: its latest entry, or the mean of overlapping ones."""
    length = round(window / timedelta(minutes=1))
    return rolling if length == ROLLING else last(rolling, length) / ROLLING
