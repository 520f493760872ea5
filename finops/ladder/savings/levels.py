"""The level of spend around a step: how far it is steady, and how much of it there still is.

What a flag saves is mostly a share of what is asked of the platform. Measured at the height of a crisis it is large;
once the crisis is over there is less to save a share of. And a crisis that ends is no merit of the tier in force.
"""

from typing import Final

import numpy as np

from finops.ladder.savings.history import Floats, History, Window

_FEWEST: Final = 3  # blocks that make a level
_LATEST: Final = 12  # blocks: a lull of minutes is no end of a crisis
_STALE: Final = 6  # blocks in which some must be known
_A_DAY: Final = 288  # blocks
_LEAST_JUMP: Final = 0.3
_NOISES: Final = 4.0  # times what neighbouring blocks differ by anyway
_DEVIATION: Final = 1.4826  # standard deviations in a median of absolute values


def steady_before(history: History, window: Window) -> Window:
    """The end of a window in which spend moved by nothing but noise."""
    part = history.money[slice(*window)]
    return window[1] - _steady(part[::-1], _jump(history)), window[1]


def steady_after(history: History, window: Window) -> Window:
    """The beginning of a window in which spend moved by nothing but noise."""
    return window[0], window[0] + _steady(history.money[slice(*window)], _jump(history))


def level(history: History, window: Window) -> float | None:
    """Mean spend of its known blocks; None when none is."""
    part = history.money[max(window[0], 0) : max(window[1], 0)]
    known = part[np.isfinite(part)]
    return float(known.mean()) if len(known) else None


def usual_level(history: History) -> float | None:
    """What full service usually costs in this hour, or at all; None with less than a day of it."""
    quiet = history.money[history.is_full]
    known = quiet[np.isfinite(quiet)]
    if len(known) < _A_DAY:
        return None
    hours = history.load[-_LATEST:] if history.load is not None and not history.load_name else known
    hours = hours[np.isfinite(hours)]
    return float(np.median(hours)) if len(hours) else float(np.median(known))


def spend_now(history: History, first: int) -> float | None:
    """Spend of the latest quarter of an hour or of the latest hour, whichever is more, from block `first` on.

    So it rises at once and falls slowly; None while nothing is known of it.
    """
    part = history.money[max(first, len(history.money) - _LATEST, 0) :]
    if np.isfinite(part[-_STALE:]).sum() < min(_FEWEST, max(len(part), 1)):
        return None
    known = part[np.isfinite(part)]
    return float(max(known.mean(), known[-_FEWEST:].mean()))


def remaining(history: History, window: Window, then: float) -> float | None:
    """The mean share of spend `then` that there still was in a window, no block's more than 1; None when unknown."""
    part = history.money[max(window[0], 0) : max(window[1], 0)]
    known = part[np.isfinite(part)]
    if not len(known) or then <= 0:
        return None
    return float(np.clip(known / then, 0.0, 1.0).mean())


def _steady(values: Floats, jump: float) -> int:
    """How many values come before the first one that is far from the mean of those before it."""
    total, known = 0.0, 0
    for place, value in enumerate(values):
        if not np.isfinite(value):
            continue
        mean = total / known if known else value
        if abs(value - mean) > jump * max(value, mean):
            return place
        total, known = total + value, known + 1
    return len(values)


def _jump(history: History) -> float:
    """By what share a block must differ from a level so that it is another level."""
    quiet = history.money[history.is_full]
    before, after = quiet[:-1], quiet[1:]
    both = np.isfinite(before) & np.isfinite(after) & (before > 0) & (after > 0)
    if not both.any():
        return _LEAST_JUMP
    differs = np.abs(after[both] - before[both]) / np.maximum(before[both], after[both])
    return max(_LEAST_JUMP, min(_NOISES * _DEVIATION * float(np.median(differs)), 1.0))
