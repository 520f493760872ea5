"""Sums over sliding windows of numpy arrays in which NaN is missing data, never zero."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

ROLLING_MINUTES: Final = 5  # what one entry of the rolling pair counts


def last(values: Floats, window: int) -> Floats:
    """Sum of the last `window` entries, at each entry; missing ones add nothing, and there are fewer at the start."""
    sums = np.cumsum(np.where(np.isnan(values), 0.0, values))
    found = sums.copy()
    found[window:] -= sums[:-window]
    return found


def present(values: Floats, window: int) -> Whole:
    """How many of the last `window` entries are there, at each entry."""
    counts = np.cumsum(~np.isnan(values), dtype=np.int64)
    found = counts.copy()
    found[window:] -= counts[:-window]
    return found


def lately(flags: Flags, window: int) -> Flags:
    """Whether any of the last `window` entries is set, at each entry."""
    return last(flags.astype(np.float64), window) > 0.5


def throughout(flags: Flags, window: int) -> Flags:
    """Whether all of the last `window` entries are set, at each entry; not before there were so many."""
    return last(flags.astype(np.float64), window) > window - 0.5


def ratio(bad: Floats, every: Floats) -> Floats:
    """`bad` over `every`, NaN where there were no events."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(every > 0, bad / every, np.nan))


def runs(flags: Flags, gap: int = 0) -> list[tuple[int, int]]:
    """Where `flags` is set, as half-open [first, end); runs with at most `gap` unset entries between them are one."""
    at = np.flatnonzero(flags)
    if not len(at):
        return []
    breaks = np.flatnonzero(np.diff(at) > gap + 1)
    firsts = at[np.concatenate([[0], breaks + 1])]
    ends = at[np.concatenate([breaks, [len(at) - 1]])] + 1
    return [(int(first), int(end)) for first, end in zip(firsts, ends, strict=True)]
