"""A window of steps over rows that are given to series: one array, written in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats

Key: TypeAlias = tuple[tuple[str, str], ...]
Rows: TypeAlias = NDArray[np.int64]
_SLACK: Final = 28  # the window moves within an array that is 1/28 wider, and is moved back when it meets the end


def key_of(labels: Mapping[str, str]) -> Key:
    """What a series is told apart by."""
    return tuple(sorted(labels.items()))


@dataclass(frozen=True, slots=True)
class Merged:
    """What samples did to cells: of the shape of what was merged."""

    late: Booleans  # where nothing was
    changed: Booleans  # where another value was
    duplicates: int


class Buffer:
    """`capacity` steps, the last of them `end − 1`, of at most `most_rows` series.

    The array is as large as it may become from the beginning; memory is taken when a row is first written. It is never
    copied as a whole.
    """

    def __init__(self, most_rows: int, capacity: int) -> None:
        self.capacity: Final = capacity
        self.end = 0
        self._most_rows = most_rows
        self._array: Floats = np.empty((most_rows, capacity + max(capacity // _SLACK, 1)), dtype=np.float32)
        self._offset = 0
        self._labels: list[Mapping[str, str] | None] = []
        self._rows: dict[Key, int] = {}
        self._free: list[int] = []
        self._last_seen: Rows = np.full(most_rows, -1, dtype=np.int64)
        self._known_since: Rows = np.zeros(most_rows, dtype=np.int64)

    @property
    def first(self) -> int:
        """The first step that is kept."""
        return self.end - self.capacity

    @property
    def labels(self) -> Sequence[Mapping[str, str] | None]:
        """Of each row that was ever given away."""
        return self._labels

    @property
    def values(self) -> Floats:
        """(rows, capacity) as a view."""
        return self._array[: len(self._labels), self._offset : self._offset + self.capacity]

    @property
    def last_seen(self) -> Rows:
        """(rows,) as a view."""
        return self._last_seen[: len(self._labels)]

    def row_of(self, key: Key) -> int | None:
        """Where a series is."""
        return self._rows.get(key)

    def known_since(self, rows: Rows) -> Rows:
        """The first step that was new after these rows were given to their series."""
        return self._known_since[rows]

    def clear(self, end: int) -> None:
        """Forget all samples and series; `end` is the step after the window from here on."""
        self.end, self._offset = end, 0
        self._labels.clear()
        self._rows.clear()
        self._free.clear()
        self._last_seen[:] = -1

    def slide(self, end: int) -> None:
        """Move the window on until it ends before `end`; the steps that come in are empty."""
        steps = end - self.end
        rows, keep = len(self._labels), max(self.capacity - steps, 0)
        if self._offset + self.capacity + steps > self._array.shape[1]:
            begin = self._offset + self.capacity - keep
            for row in self._array[:rows]:  # row by row: overlapping arrays are copied aside as a whole otherwise
                row[:keep] = row[begin : begin + keep].copy()
            self._offset = 0
        else:
            self._offset += steps
        self.end = end
        self.values[:, keep:] = np.nan

    def take(self, key: Key, labels: Mapping[str, str], since: int) -> int | None:
        """A row for a series that has none; None when there is no more."""
        if self._free:
            row = self._free.pop()
            self._labels[row] = labels
        elif len(self._labels) < self._most_rows:
            row = len(self._labels)
            self._labels.append(labels)
        else:
            return None
        self._rows[key] = row
        self._array[row] = np.nan
        self._last_seen[row] = -1
        self._known_since[row] = since
        return row

    def free_empty(self) -> list[int]:
        """Take back the rows whose last sample has left the window; which ones."""
        freed = [
            row
            for row in np.flatnonzero(self.last_seen < self.first).tolist()
            if (labels := self._labels[row]) is not None and self._rows.pop(key_of(labels), None) is not None
        ]
        for row in freed:
            self._labels[row] = None
        self._free = sorted({*self._free, *freed}, reverse=True)  # the lowest is given away first
        return freed

    def merge(self, rows: Rows, first: int, values: Floats) -> Merged:
        """Write samples (rows × steps from `first`, within the window); NaN leaves what is there."""
        begin = self._offset + first - self.first
        there = self._array[rows, begin : begin + values.shape[1]]
        has, had = np.isfinite(values), np.isfinite(there)
        changed = has & had & (values != there)
        self._array[rows, begin : begin + values.shape[1]] = np.where(has, values, there)
        return Merged(has & ~had, changed, int((has & had).sum() - changed.sum()))

    def saw(self, rows: Rows, newest: Rows) -> None:
        """Samples came, the newest of each row at such a step."""
        self._last_seen[rows] = np.maximum(self._last_seen[rows], newest)
