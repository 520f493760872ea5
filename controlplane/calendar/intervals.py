"""Half-open intervals of time: merged, cut, and written as few regular runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # half-open, Unix seconds


def merged(intervals: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as intervals in order and apart; empty ones vanish, and those that touch become one."""
    found: list[Span] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Run:
    """`count` intervals of the same `length`, each beginning `step` seconds after the one before."""

    first: int
    length: int
    step: int
    count: int

    @property
    def last(self) -> int:
        """Where the last one begins."""
        return self.first + self.step * (self.count - 1)


def runs(intervals: Sequence[Span]) -> tuple[Run, ...]:
    """Intervals (in order and apart) as runs; together they are exactly the intervals.

    What comes twice a week is two runs. A change of clocks ends one and begins the next.
    """
    candidates = (_in_turns(intervals, turns) for turns in range(1, 8))
    return min(candidates, key=len)


def _in_turns(intervals: Sequence[Span], turns: int) -> tuple[Run, ...]:
    found = [run for turn in range(turns) for run in _runs(intervals[turn::turns])]
    return tuple(sorted(found, key=lambda run: (run.first, run.length)))


def _runs(intervals: Sequence[Span]) -> Iterator[Run]:
    at = 0
    while at < len(intervals):
        start, end = intervals[at]
        length, count = end - start, 1
        step = intervals[at + 1][0] - start if at + 1 < len(intervals) else 0
        while at + count < len(intervals) and intervals[at + count] == (start + step * count, end + step * count):
            count += 1
        yield Run(start, length, step if count > 1 else 0, count)
        at += count
