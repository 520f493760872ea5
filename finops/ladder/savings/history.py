"""Spend and load in blocks of five minutes, on one grid of time, and what of it may be compared with what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controlplane.model.ladder import StepOutcome, StepRecord

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Window = tuple[int, int]
"""Blocks from the first up to but without the second."""

BLOCK: Final = timedelta(minutes=5)
SETTLE: Final = timedelta(minutes=15)
"""How long after a step blocks are left out: a ledger's entry of five minutes reaches nine minutes back, and is read up
to five minutes late."""
LEAST_KNOWN: Final = 0.5  # of the blocks of a window whose mean is to say anything
_DAY: Final = timedelta(days=1) // BLOCK
_WEEKS: Final = (7 * _DAY, 14 * _DAY)
_DAYS: Final = (_DAY, 2 * _DAY, 3 * _DAY)
_HALF_AN_HOUR: Final = timedelta(minutes=30) // BLOCK


@dataclass(frozen=True, slots=True)
class History:
    """Block `i` ends at `start` + `i` × 5 min. `money` is money an hour, `load` any measure of what was asked of the
    platform, None where there is none; NaN where it is not known.

    `regime` numbers stretches between steps, −1 while one is made or settles; `is_full` is full service.
    """

    start: datetime
    money: Floats
    load: Floats | None
    load_name: str
    regime: Numbers
    is_full: Flags

    def index(self, at: datetime) -> int:
        """The first block that ends at or after a moment."""
        return -((self.start - at) // BLOCK)

    @property
    def end(self) -> datetime:
        """When its last block ends."""
        return self.start + (len(self.money) - 1) * BLOCK

    def stretch(self, number: int) -> Window:
        """The blocks of one stretch between steps; empty when the next step came before this one had settled."""
        found = np.flatnonzero(self.regime == number)
        return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """A step that wrote flags, of whichever ladder spends the same money: from the first write until it ended.

    One that lasts left other flags behind than it found; one that was undone did not. `left` is the tier that a step
    down by one tier ended, 0 of any other step.
    """

    step: str
    start: datetime
    end: datetime
    lasts: bool
    ladder: str
    left: int


def changes_of(steps: Iterable[StepRecord], now: datetime) -> tuple[Change, ...]:
    """The steps that changed something, in order of time; one that is open lasts until now."""
    found = [
        Change(
            step.id,
            step.written_at,
            step.ended_at or now,
            step.outcome in {None, StepOutcome.COMMITTED},
            step.ladder,
            _left(step),
        )
        for step in steps
        if step.written_at is not None and step.outcome is not StepOutcome.REFUSED
    ]
    return tuple(sorted(found, key=lambda each: (each.start, each.step)))


def _left(step: StepRecord) -> int:
    is_one_down = step.from_tier - step.to_tier == 1 and step.outcome is StepOutcome.COMMITTED
    return step.from_tier if is_one_down else 0


def regimes(start: datetime, count: int, changes: Iterable[Change]) -> Numbers:
    """The number of each block's stretch; −1 from a change's first write until it has settled."""
    found = np.zeros(count, dtype=np.int64)
    for number, change in enumerate(changes, start=1):
        first = max(_after(start, change.start), 0)
        settled = max(-((start - (change.end + SETTLE)) // BLOCK), first)
        found[settled:] = np.where(found[settled:] >= 0, number, -1)
        found[first:settled] = -1
    return found


def full_service(start: datetime, count: int, steps: Iterable[StepRecord], now: datetime) -> Flags:
    """Where no ladder had a tier in force, nor had had one within the settling time."""
    found = np.ones(count, dtype=np.bool_)
    by_ladder: dict[str, list[StepRecord]] = {}
    for step in steps:
        if step.outcome is StepOutcome.COMMITTED and step.ended_at is not None:
            by_ladder.setdefault(step.ladder, []).append(step)
    for own in by_ladder.values():
        ordered = sorted(own, key=lambda step: (step.ended_at or now, step.id))
        if ordered[0].from_tier > 0:
            found[: max(_after(start, ordered[0].decided_at), 0)] = False
        for step, following in zip(ordered, [*ordered[1:], None], strict=True):
            if step.to_tier > 0:
                until = (following.ended_at if following else None) or now + BLOCK
                first = max(_after(start, step.decided_at), 0)
                found[first : max(_after(start, until + SETTLE), 0)] = False
    return found


def _after(start: datetime, at: datetime) -> int:
    """The first block that ends later than a moment."""
    return (at - start) // BLOCK + 1


def usual(money: Floats, is_full: Flags) -> Floats:
    """What each block usually costs: the hour around it one and two weeks before, or else on the three days before.

    Only of full service; NaN where none of them is known.
    """
    at = np.arange(len(money))
    first, last = np.maximum(at - _HALF_AN_HOUR, 0), np.minimum(at + _HALF_AN_HOUR + 1, len(money))
    hours = window_means(np.where(is_full, money, np.nan), first, last)
    weeks, days = _median_before(hours, _WEEKS), _median_before(hours, _DAYS)
    return np.where(np.isfinite(weeks), weeks, days)


def _median_before(values: Floats, offsets: Iterable[int]) -> Floats:
    rows = [np.concatenate([np.full(min(offset, len(values)), np.nan), values[:-offset]]) for offset in offsets]
    ordered = np.sort(np.array(rows), axis=0)  # NaN comes last
    known = np.maximum(np.isfinite(ordered).sum(axis=0), 1)
    columns = np.arange(len(values))
    medians: Floats = (ordered[(known - 1) // 2, columns] + ordered[known // 2, columns]) / 2
    return medians


def window_means(values: Floats, first: Numbers, last: Numbers) -> Floats:
    """Means of blocks `first` … `last` (without), NaN of windows of which less than half is known."""
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    number = counts[last] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (sums[last] - sums[first]) / number
    return np.where(number >= np.maximum(LEAST_KNOWN * (last - first), 1), means, np.nan)
