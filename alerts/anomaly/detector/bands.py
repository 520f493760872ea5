"""From rarities to a band: how far from what is expected a value has to be to be anomalous, on either side."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.detector.settings import FLOOR, NOVELTY_SCALE, SOFT_CAP
from alerts.anomaly.detector.tails import Tail
from alerts.anomaly.model import Direction

_CHANNELS = 3
_ROUNDS = 2
_LARGE = np.float32(3e38)
_LEAST_RANGE = np.float32(10)
"""A range is at least so many of the smallest deviations that count: that of a constant is not 0."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most of an earlier time (S, n); NaN: nothing was there."""

    lowest: Floats
    highest: Floats

    def around(self, expected: Floats) -> "Range":
        """The same, and what is expected: that is no novelty. So rarity only grows with the distance from it."""
        return Range(np.minimum(self.lowest, expected), np.maximum(self.highest, expected))

    def width(self, floor: Floats) -> Floats:
        """How wide it is."""
        wide: Floats = np.maximum(self.highest - self.lowest, floor * _LEAST_RANGE)
        return wide


def floors(level: Floats) -> Floats:
    """Deviations that are none: below float32's grasp."""
    return np.maximum(np.abs(level) * np.float32(FLOOR), np.float32(1e-30))


def novel(outside: Floats, width: Floats) -> Floats:
    """Rarity of a value so far outside a range so wide; 0 inside, and where there is no range."""
    share = np.fmax(outside, np.float32(0)) / width
    return np.fmax(np.float32(-SOFT_CAP) * np.expm1(share * np.float32(-1 / NOVELTY_SCALE)), np.float32(0))


def novelty(values: Floats, known: Range, floor: Floats) -> Floats:
    """Rarity of values by how far they lie outside a range (which lies around what is expected)."""
    outside = np.maximum(values - known.highest, known.lowest - values)
    return novel(np.where(outside >= floor, outside, 0), known.width(floor))


def _half(
    tail: Callable[[Floats], Floats],
    limit: Floats,
    rooms: tuple[Floats, Floats],
    widths: tuple[Floats, Floats],
    rarity: float,
) -> Floats:
    """The distance at which the three channels sum up to `rarity`; flat arrays, `limit` being the tail's alone.

    By regula falsi with the Illinois weighting (Dowell & Jarratt 1971) between two distances that are known to hold it:
    a few rounds, for what they leave (a per cent or so) is settled by the rarity itself, in `scoring`.
    """
    share = -NOVELTY_SCALE * np.log1p(-rarity / (2 * SOFT_CAP)) if rarity < 2 * SOFT_CAP else np.inf
    ends = np.maximum(rooms[0] + np.float32(share) * widths[0], rooms[1] + np.float32(share) * widths[1])
    high = np.minimum(limit, np.where(np.isnan(ends), _LARGE, ends))
    low = np.minimum(np.fmin(rooms[0], rooms[1]), high)

    def excess(distance: Floats) -> Floats:
        total = tail(distance)
        for room, width in zip(rooms, widths, strict=True):
            total = total + novel(distance - room, width)
        return total - np.float32(rarity)

    at_low, at_high = np.minimum(excess(low), 0), np.maximum(excess(high), 0)
    before = np.zeros(low.shape, dtype=np.int8)
    for _ in range(_ROUNDS):
        share = at_low / np.minimum(at_low - at_high, np.float32(-1e-30))
        middle = low + (high - low) * share
        found = excess(middle)
        over = found > 0
        at_low = np.where(over, np.where(before > 0, at_low * np.float32(0.5), at_low), found)
        at_high = np.where(over, found, np.where(before < 0, at_high * np.float32(0.5), at_high))
        low, high = np.where(over, low, middle), np.where(over, middle, high)
        before = np.where(over, 1, -1).astype(np.int8)
    return high


def half_widths(
    tail: Tail, limit: Floats, expected: Floats, ranges: tuple[Range, Range], floor: Floats, threshold: float
) -> tuple[Floats, Floats]:
    """How far above and how far below `expected` (S, n) `point` reaches `threshold`.

    `limit` (S,): the residual whose rarity alone suffices. `ranges` lie around what is expected.
    """
    widths = [known.width(floor) for known in ranges]
    above = [known.highest - expected for known in ranges]
    below = [expected - known.lowest for known in ranges]
    alone = np.minimum(np.broadcast_to(limit[:, None], expected.shape), _LARGE)
    halves = []
    for rooms in (above, below):
        half = alone.copy()
        rows, columns = np.nonzero(alone > np.fmin(rooms[0], rooms[1]))
        if rows.size:
            at = (rows, columns)
            free, wide = (rooms[0][at], rooms[1][at]), (widths[0][at], widths[1][at])
            half[at] = _half(tail.of_rows(rows), alone[at], free, wide, _CHANNELS * threshold)
        halves.append(np.maximum(half, floor))
    return halves[0], halves[1]


def counts(deviation: Floats, direction: Direction) -> Booleans:
    """Whether a deviation's direction is one that counts."""
    if direction is Direction.BOTH:
        return np.ones(deviation.shape, dtype=bool)
    return deviation > 0 if direction is Direction.ABOVE else deviation < 0
