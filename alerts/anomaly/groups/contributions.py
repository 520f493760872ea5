"""What each member has to do with its group's being off."""

from typing import Final

import numpy as np

from alerts.anomaly.groups.model import Floats, Groups, Reals

_NOTHING: Final = 0.01  # residuals that cancel out to less than a hundredth: nothing is off that could be shared out


def shares(values: Floats, expected: Floats, groups: Groups) -> Reals:
    """(S,): the member's residual (value − expected) ÷ the sum of its group's; of each group they sum to 1.

    Signed: a member that goes the other way has a negative share, and others then more than 1. NaN: no sample, nothing
    expected, in no group, or its group's residuals cancel each other out. Means share out as sums do.
    """
    residual = np.asarray(values, dtype=np.float64) - np.asarray(expected, dtype=np.float64)
    there = ~np.isnan(residual)
    plain = np.where(there, residual, 0.0)
    total, moved = groups.sums(plain), groups.sums(np.abs(plain))
    nothing = np.abs(total) <= _NOTHING * moved
    found, rows = np.full(len(residual), np.nan), np.flatnonzero(there & (groups.of >= 0))
    found[rows] = residual[rows] / np.where(nothing, np.nan, total)[groups.of[rows]]
    return found


def leading(shares_of_members: Reals, groups: Groups, number: int, most: int = 5) -> list[tuple[int, float]]:
    """(row, share) of the members of a group that are furthest off, largest first."""
    rows = np.flatnonzero((groups.of == number) & ~np.isnan(shares_of_members))
    ordered = rows[np.argsort(-np.abs(shares_of_members[rows]), kind="stable")][:most]
    return [(int(row), float(shares_of_members[row])) for row in ordered]
