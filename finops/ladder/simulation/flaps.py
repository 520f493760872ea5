"""When a ladder flaps: it takes back what it did a moment ago.

A flap is a tier that is left within W after it was entered, or entered within W after it was left; each reversal counts
once, at the tier whose border was crossed twice. W is twice the longer one of the tier's dwell and the ladder's
cool-down, unless somebody says otherwise: nothing can be left before its dwell and its cool-down are over, so a flap is
a change that stood for less than twice the least. Steps that were undone never stood, and are none.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from finops.ladder.model import Ladder
from finops.ladder.simulation.model import Flap, Moved


def within(ladder: Ladder, tier: int) -> timedelta:
    """How soon a reversal is a flap, by default."""
    declared = ladder.tier(tier)
    dwell = declared.dwell if declared else timedelta(0)
    return 2 * max(dwell, ladder.limits.cool_down)


def flaps_of(ladder: Ladder, moves: Sequence[Moved], longest: timedelta | None = None) -> tuple[Flap, ...]:
    """Every flap, in the order in which they happened."""
    return tuple(_flaps(ladder, moves, longest))


def _flaps(ladder: Ladder, moves: Sequence[Moved], longest: timedelta | None) -> Iterator[Flap]:
    crossed: dict[int, tuple[datetime, bool]] = {}  # by tier: when its border was crossed last, and whether upwards
    for move in moves:
        if move.undone or move.until is None:
            continue
        up = move.to_tier > move.from_tier
        reversed_ = []
        for tier in range(min(move.from_tier, move.to_tier) + 1, max(move.from_tier, move.to_tier) + 1):
            last = crossed.get(tier)
            limit = within(ladder, tier) if longest is None else longest
            if last is not None and last[1] != up and move.until - last[0] <= limit:
                reversed_.append(Flap(move.until, tier, up, move.until - last[0]))
            crossed[tier] = (move.until, up)
        yield from reversed_[-1:]  # a move over several tiers is one reversal
