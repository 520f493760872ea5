"""Answers of range queries as columns: what each part of a signal was at each point of a history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controlplane.model.series import Series


@dataclass(frozen=True, slots=True)
class Grid:
    """Points at `start`, `start` + `step`, …: `count` of them."""

    start: datetime
    step: timedelta
    count: int

    @property
    def last(self) -> datetime:
        """The last point."""
        return self.start + (self.count - 1) * self.step

    def at(self, place: int) -> datetime:
        """The moment of a point."""
        return self.start + place * self.step

    def coarser(self, step: timedelta) -> "Grid":
        """One that covers the same time with points `step` apart, a multiple of its own."""
        return Grid(self.start, step, -(-self.count * self.step // step))


Value = tuple[Mapping[str, str], float]
"""Of one series at one moment, with its labels."""


@dataclass(slots=True)
class Column:
    """One part over time. `alone` holds the values of moments that have one series; `crowded` the rest, by place.

    `labels` are those of the series, `series` which of them a value is of.
    """

    labels: list[Mapping[str, str]]
    alone: list[float | None]
    series: list[int]
    crowded: dict[int, list[Value]] = field(default_factory=dict)

    def values(self, place: int) -> Sequence[Value]:
        """All values of a point."""
        if place in self.crowded:
            return self.crowded[place]
        value = self.alone[place]
        return () if value is None else ((self.labels[self.series[place]], value),)

    def begins(self) -> int | None:
        """The first point that has a sample; None without any."""
        alone = next((place for place, value in enumerate(self.alone) if value is not None), None)
        return min([*([alone] if alone is not None else []), *self.crowded], default=None)


def column(answer: Iterable[Series], grid: Grid) -> Column:
    """An answer to a range query over the grid."""
    made = Column([], [None] * grid.count, [0] * grid.count)
    for number, series in enumerate(answer):
        made.labels.append(dict(series.labels))
        for at, value in series.points:
            place = (at - grid.start) // grid.step
            if not 0 <= place < grid.count:
                continue
            if place in made.crowded:
                made.crowded[place].append((made.labels[number], value))
            elif (known := made.alone[place]) is None:
                made.alone[place], made.series[place] = value, number
            else:
                made.crowded[place] = [(made.labels[made.series[place]], known), (made.labels[number], value)]
                made.alone[place] = None
    return made
