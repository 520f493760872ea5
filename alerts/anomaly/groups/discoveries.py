"""Which members of a group are anomalous at a step when many are asked at once: Benjamini–Hochberg."""

from typing import Final

import numpy as np

from alerts.anomaly.groups.model import Booleans, Floats, Groups, Reals

SOFT_CAP: Final = 4.0  # of rarities: beyond it they grow by a tenth (ANOMALY.md, step 5)
CAPPED_SLOPE: Final = 0.1
_MOST_DIGITS: Final = 300.0  # a float64 knows no smaller p than about 1e-308


def p_of(rarity: Floats) -> Reals:
    """The share of steps that are at least as rare, p = 10^(−r): rarity is −log10 p, soft-capped at 4.

    The cap is undone: r = 4 + 0.1 (r′ − 4) beyond 4, so r = 5 is p = 1e-14. Down to about 1e-4 p is counted (four weeks
    of five minutes are 8,064 steps); beyond it p is what the fitted tail says, an extrapolation whose order can be
    trusted more than its size. That does no harm here: among 10,000 members p ≤ 5e-6 is all that is ever asked for at a
    rate of 0.05, while the capped figure would not let a lone member of many pass. NaN stays NaN.
    """
    wide = np.asarray(rarity, dtype=np.float64)
    plain = np.where(wide > SOFT_CAP, SOFT_CAP + (wide - SOFT_CAP) / CAPPED_SLOPE, np.maximum(wide, 0.0))
    return np.power(10.0, -np.minimum(plain, _MOST_DIGITS))


def rarest(seasonal: Floats, range_all: Floats, range_recent: Floats, slow: Floats | None = None) -> Reals:
    """(S,): how rare a step is by its rarest channel; `slow` where sustained deviations count, too. NaN: not scored.

    Of one channel, not of `point` or `sustained`: these are means over channels most of which are silent nearly always,
    and 10^(−mean) is no share of anything (at `point`'s threshold of 1.29 it is 0.05, where the seasonal channel alone
    says 1e-4). The rarest of three understates p threefold at worst, in theory; that a range of n steps is left which
    was never left before is about as rare as its rank says, 1/n.
    """
    channels = [seasonal, range_all, range_recent]
    return np.asarray(np.fmax.reduce(channels if slow is None else [*channels, slow]), dtype=np.float64)


def discoveries(p: Reals, groups: Groups, rate: float) -> Booleans:
    """(S,): True where a member's null hypothesis is rejected at this false discovery rate, in each group by itself.

    Benjamini and Hochberg (1995): of m sorted p, all up to the largest k with p(k) ≤ rate · k ÷ m. It holds for
    independent and for positively dependent members (Benjamini and Yekutieli 2001), which those of one service are.
    The rate is that of one step. NaN is not tested and does not count in m; nor does a series in no group, which
    stands for itself: m = 1.
    """
    found = np.zeros(len(p), dtype=np.bool_)
    alone = groups.of < 0
    found[alone] = p[alone] <= rate
    rows = np.flatnonzero(~alone & ~np.isnan(p))
    if not rows.size:
        return found
    ordered = rows[np.lexsort((p[rows], groups.of[rows]))]
    of = groups.of[ordered]
    tested = np.bincount(of, minlength=groups.count)
    rank = np.arange(len(ordered)) - (np.cumsum(tested) - tested)[of] + 1
    passes = p[ordered] <= rate * rank / tested[of]
    largest = np.zeros(groups.count, dtype=np.int64)
    np.maximum.at(largest, of[passes], rank[passes])
    found[ordered] = rank <= largest[of]
    return found


def admitted(rarity: Floats, groups: Groups, rate: float) -> Booleans:
    """The same of rarities (S,) such as `rarest`: what may open an episode. Where none is known none is held back."""
    p = p_of(rarity)
    return discoveries(p, groups, rate) | np.isnan(p)
