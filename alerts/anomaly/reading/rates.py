"""Counters as rates."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEAD_STEPS: Final = 3
"""A rate is taken over the time since the sample before, which is at most so many steps earlier."""


def rates(counters: NDArray[np.floating[Any]], step_seconds: float) -> NDArray[np.float64]:
    """Increase a second since the sample before, of (series × steps) with `LEAD_STEPS` more steps at the beginning.

    A counter that has fallen was reset: it counts from 0 (as Prometheus' `rate` has it). NaN where there is no sample,
    or none in the `LEAD_STEPS` before. The result has the steps without the lead, and depends on nothing else: whoever
    reads a step again with its lead gets the same rate.
    """
    steps = counters.shape[1] - LEAD_STEPS
    now = counters[:, LEAD_STEPS:].astype(np.float64)
    before = np.full_like(now, np.nan)
    seconds = np.ones_like(now)
    for back in range(LEAD_STEPS, 0, -1):  # the nearest is written last
        earlier = counters[:, LEAD_STEPS - back : LEAD_STEPS - back + steps]
        found = np.isfinite(earlier)
        before[found] = earlier[found]
        seconds[found] = back * step_seconds
    increase = np.where(now < before, now, now - before)
    return np.asarray(increase / seconds)
