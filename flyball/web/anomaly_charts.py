"""The chart of a series on the band of what is usual: numbers in, SVG coordinates and labels out."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import wording
from flyball.web import charts
from flyball.web.charts import Mark, Tick
from flyball.web.money_frame import MoneyChart, Stroke

MOST_ROWS: Final = 60  # of the table beside a chart
_ROOM: Final = 0.06  # of the height, so that nothing touches an edge
_GAP: Final = 1.5  # steps without a value that break a line
_FROM_ZERO: Final = 0.5  # of the highest value: what gets that low is drawn from zero on
_WORDS: Final = {
    "anomaly": "anomalous",
    "gap": "samples missing",
    "shift": "new level",
    "deployment": "deployment",
}
Figures = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A series over time: columns of one length, in order; None where nothing is known.

    Edges may be infinite: then that direction does not count. `step` is how far the times are apart.
    """

    step: timedelta
    at: tuple[datetime, ...]
    value: Figures
    expected: Figures
    lower: Figures
    upper: Figures
    score: Figures

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all."""
        return not any(each is not None for each in self.value)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is marked: `kind` is anomaly, gap, shift or deployment; `end` None: it goes on, or is a moment.

    `label` is short; `told` is the whole story, for tooltips and the table.
    """

    kind: str
    start: datetime
    end: datetime | None
    label: str
    told: str


@dataclass(frozen=True, slots=True)
class _Plot:
    """Times and values as places."""

    start: datetime
    end: datetime
    low: float
    high: float
    step: timedelta

    def line(self, points: Sequence[tuple[datetime, float]]) -> str:
        return charts.lines_of(
            tuple(points), start=self.start, end=self.end, step=self.step, low=self.low, high=self.high
        ).line  # fmt: skip

    def share(self, at: datetime) -> float:
        found = (at - self.start) / (self.end - self.start) * 100
        return round(min(max(found, 0.0), 100.0), 2)

    def corner(self, at: datetime, value: float) -> str:
        inside = min(max(value, self.low), self.high)
        return f"{self.share(at) * 10:.1f} {charts.box_y(inside, self.low, self.high):.1f}"


def band_chart(
    course: Course,
    happenings: Sequence[Happening] = (),
    *,
    start: datetime,
    end: datetime,
    name: str = "band",
    title: str = "Value and what is usual",
    unit: str = "",
) -> MoneyChart:
    """The value over the band from `lower` to `upper`, dashed what was expected; what is outside in another colour.

    `unit` stands behind figures, such as `/s`. Without any value the chart is empty.
    """
    if course.is_empty:
        return MoneyChart(name, title, "")
    low, high = _bounds(course)
    plot = _Plot(start, end, low, high, course.step)
    lines = (
        Stroke("usual", plot.line(_points(course, course.expected))),
        Stroke("value", plot.line(_points(course, course.value))),
        *(Stroke("unusual", plot.line(run)) for run in _unusual(course)),
    )
    ticks = charts.round_values(low, high)
    return MoneyChart(
        name=name,
        title=title,
        description=_description(course, happenings, unit),
        areas=tuple(Stroke("band", path) for path in _band(course, plot)),
        lines=tuple(each for each in lines if each.path),
        y_ticks=tuple(Tick(charts.plot_y(each, low, high), f"{wording.count(each)}{unit}") for each in ticks),
        x_ticks=charts.time_ticks(start, end),
        marks=_marks(happenings, plot),
        columns=("Value", "Expected", "Usual, from", "to", "Score"),
        rows=_rows(course),
    )


def figure(value: float | None, unit: str = "") -> str:
    """A value as people read it."""
    return wording.MISSING if value is None or math.isnan(value) else f"{wording.count(value)}{unit}"


def edge(value: float | None, unit: str = "") -> str:
    """An edge of the band: infinite is none."""
    return "any" if value is not None and math.isinf(value) else figure(value, unit)


def _bounds(course: Course) -> tuple[float, float]:
    columns = (course.value, course.expected, course.lower, course.upper)
    known = [each for column in columns for each in column if each is not None and math.isfinite(each)]
    low, high = min(known), max(known)
    if 0 < low < high * _FROM_ZERO:
        low = 0.0
    room = (high - low) * _ROOM or abs(high) * _ROOM or 1.0
    return (low if low == 0 else low - room), high + room


def _points(course: Course, column: Figures) -> list[tuple[datetime, float]]:
    pairs = zip(course.at, column, strict=True)
    return [(at, value) for at, value in pairs if value is not None and math.isfinite(value)]


def _runs(course: Course, keep: Callable[[int], bool]) -> Iterator[list[int]]:
    """Places that are kept, in stretches without a gap."""
    run: list[int] = []
    for place in range(len(course.at)):
        follows = not run or (run[-1] == place - 1 and course.at[place] - course.at[place - 1] <= course.step * _GAP)
        if keep(place) and not follows:
            yield run
            run = [place]
        elif keep(place):
            run.append(place)
    if run:
        yield run


def _band(course: Course, plot: _Plot) -> Iterator[str]:
    for run in _runs(course, lambda place: course.lower[place] is not None and course.upper[place] is not None):
        upper = [plot.corner(course.at[place], course.upper[place] or 0.0) for place in run]
        lower = [plot.corner(course.at[place], course.lower[place] or 0.0) for place in reversed(run)]
        yield f"M{'L'.join((*upper, *lower))}Z"


def _unusual(course: Course) -> Iterator[list[tuple[datetime, float]]]:
    """What is outside, with the way there: a single step would be no line."""

    def is_outside(place: int) -> bool:
        return course.value[place] is not None and (course.score[place] or 0.0) > 1

    for run in _runs(course, is_outside):
        before = max(run[0] - 1, 0)
        yield [
            (course.at[place], value)
            for place in range(before, run[-1] + 1)
            if (value := course.value[place]) is not None and math.isfinite(value)
        ]


def _marks(happenings: Sequence[Happening], plot: _Plot) -> tuple[Mark, ...]:
    bare = []
    for each in happenings:
        until = each.end or (plot.end if each.kind in ("anomaly", "gap") else each.start)
        if until < plot.start or each.start > plot.end:
            continue
        x, right = plot.share(each.start), plot.share(until)
        bare.append(Mark(each.kind, x, round(right - x, 2), each.label, "", each.told))
    return charts.labelled(bare)


def _description(course: Course, happenings: Sequence[Happening], unit: str) -> str:
    values = [value for _, value in _points(course, course.value)]
    if not values:
        return "No value is a number in this time."
    outside = sum(1 for each in course.score if each is not None and each > 1)
    said = f"From {figure(values[0], unit)} to {figure(values[-1], unit)}, between {figure(min(values), unit)} and"
    said += f" {figure(max(values), unit)}. {_counted(outside, len(values))}"
    kinds = [each.kind for each in happenings]
    told = [f"{_WORDS[kind]}: {kinds.count(kind)}" for kind in _WORDS if kind in kinds]
    return f"{said} Marked: {', '.join(told)}." if told else said


def _counted(outside: int, known: int) -> str:
    if not outside:
        return "All of it is usual."
    return f"{outside} of {known} values {'is' if outside == 1 else 'are'} outside of what is usual."


def _rows(course: Course) -> tuple[tuple[datetime, tuple[tuple[str, str], ...]], ...]:
    stride = max(math.ceil(len(course.at) / MOST_ROWS), 1)
    places = sorted({*range(len(course.at) - 1, -1, -stride)})
    columns = (course.value, course.expected, course.lower, course.upper, course.score)
    shown = (figure, figure, edge, edge, figure)
    return tuple(
        (
            course.at[place],
            tuple((say(it[place]), str(it[place])) for say, it in zip(shown, columns, strict=True)),
        )
        for place in places
    )
