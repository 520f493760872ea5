"""Steps of the past that are still to be read, as half-open intervals."""

from collections.abc import Iterable

Interval = tuple[int, int]


class Pending:
    """A set of steps, kept as intervals that neither touch nor overlap, in order."""

    def __init__(self) -> None:
        self._intervals: list[Interval] = []

    def __len__(self) -> int:
        return sum(end - first for first, end in self._intervals)

    def add(self, first: int, end: int) -> None:
        """Put `first` … `end − 1` in."""
        self._intervals = _merged([*self._intervals, (first, end)])

    def keep_from(self, first: int) -> None:
        """Take out everything before."""
        self._intervals = [(max(begin, first), end) for begin, end in self._intervals if end > first]

    def newest(self, most: int) -> Interval | None:
        """The newest at most so many steps in a row."""
        if not self._intervals:
            return None
        first, end = self._intervals[-1]
        return max(first, end - most), end

    def remove(self, first: int, end: int) -> None:
        """Take `first` … `end − 1` out."""
        self._intervals = [
            part
            for begin, stop in self._intervals
            for part in ((begin, min(stop, first)), (max(begin, end), stop))
            if part[0] < part[1]
        ]


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for first, end in sorted(each for each in intervals if each[0] < each[1]):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return merged
