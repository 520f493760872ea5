"""Two ledgers side by side: what was counted in five minutes, and what of it was bad, or what it cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from controlplane.burn_rate import LEDGER_INTERVAL

Floats = NDArray[np.float64]
LENGTH: Final = LEDGER_INTERVAL
MIDDLE: Final = timedelta(minutes=4, seconds=30)  # an entry weighs the nine minutes before it as a triangle (RULES.md)
REACH: Final = timedelta(minutes=9)
_LENGTH_SECONDS: Final = LENGTH.total_seconds()
_MIDDLE_SECONDS: Final = MIDDLE.total_seconds()
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, half-open."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    @property
    def expected(self) -> int:
        """How many slots it has when none is missing."""
        return max(int(self.length / LENGTH), 1)


@dataclass(frozen=True, slots=True)
class Sums:
    """What many windows hold: `part` of `whole` in `slots` slots; arrays of one length."""

    part: Floats
    whole: Floats
    slots: Floats


@dataclass(frozen=True, slots=True)
class Slots:
    """Entries in the order of time: Unix seconds at which each was written, the part, and the whole.

    Only entries of which both are known and finite. Running sums make every window one subtraction.
    """

    at: Floats
    part: Floats
    whole: Floats
    _part_sum: Floats
    _whole_sum: Floats

    @classmethod
    def of(cls, entries: Iterable[tuple[float, float, float]]) -> Self:
        """From (Unix seconds, part, whole) in any order; what is NaN, infinite or negative is missing."""
        rows = np.array(list(entries), dtype=np.float64).reshape(-1, 3)
        rows = rows[np.isfinite(rows).all(axis=1) & (rows[:, 1] >= 0) & (rows[:, 2] >= 0)]
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        at, part, whole = rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy()
        return cls(at, part, whole, _running(part), _running(whole))

    def within(self, window: Window, shifts: Floats) -> Sums:
        """Sums over the window, moved back by each of these seconds: the entries whose middle lies in it."""
        first = self._index(window.start.timestamp() - shifts)
        last = self._index(window.end.timestamp() - shifts)
        part = self._part_sum[last] - self._part_sum[first]
        whole = self._whole_sum[last] - self._whole_sum[first]
        return Sums(np.maximum(part, 0.0), np.maximum(whole, 0.0), (last - first).astype(np.float64))

    def cut(self, window: Window) -> tuple[Floats, Floats]:
        """Part and whole of each slot of a window."""
        first, last = self._index(np.array([window.start.timestamp(), window.end.timestamp()]))
        return self.part[first:last], self.whole[first:last]

    @property
    def first(self) -> datetime | None:
        """When the earliest entry was written."""
        return datetime.fromtimestamp(float(self.at[0]), UTC) if len(self.at) else None

    def _index(self, seconds: Floats) -> NDArray[np.intp]:
        return np.searchsorted(self.at, seconds + (_MIDDLE_SECONDS - _TOLERANCE))


def _running(values: Floats) -> Floats:
    return np.concatenate((np.zeros(1), np.cumsum(values)))
