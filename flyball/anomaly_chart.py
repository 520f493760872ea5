"""The geometry of a series with the band of what was expected of it: numbers in, SVG coordinates and labels out."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from alerts.anomaly.explaining.sentences import how_far
from controlplane import wording
from flyball.web import charts
from flyball.web.charts import Mark, Tick
from flyball.web.money_frame import MoneyChart, Rows, Stroke

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.floating[Any]]

MOST_POINTS: Final = 600  # of a line; of more, the lowest and highest of each stretch
_MOST_MARKS: Final = 200
_MOST_LABELLED: Final = 12
_ROOM: Final = 0.04  # of the range, above and below
_NARROWEST: Final = 0.25  # per cent: what is shorter is drawn that wide
_FROM_ZERO: Final = 0.6  # a lowest value below that share of the highest: the axis begins at zero


@dataclass(frozen=True, slots=True)
class Told:
    """A time that is marked: `kind` is page, ticket or info; `label` short, `text` the whole story."""

    start: datetime
    end: datetime
    kind: str
    label: str
    text: str
    cells: tuple[tuple[str, str], ...] = ()  # what its row in the table says, and exactly


@dataclass(frozen=True, slots=True)
class Course:
    """A series from `start` on, a value a step: arrays (T,), NaN where there is none."""

    name: str
    title: str
    start: datetime
    step: timedelta
    values: "Reals"
    expected: "Reals"
    lower: "Reals"
    upper: "Reals"
    told: tuple[Told, ...] = ()

    @property
    def end(self) -> datetime:
        """Of the last step."""
        return self.start + len(self.values) * self.step


COLUMNS: Final = ("Until", "Value", "Expected", "How far off")


def band_chart(course: Course, description: str) -> MoneyChart:
    """The values as a line over the band, what was expected as a thin line, times that are marked as bands."""
    low, high = _range(course)
    stride = max(1, math.ceil(len(course.values) / MOST_POINTS))
    place = _Place(course, low, high)
    return MoneyChart(
        name=course.name,
        title=course.title,
        description=description,
        areas=tuple(Stroke("band", path) for path in _band(course, place, stride)),
        lines=tuple(
            Stroke(kind, path)
            for kind, path in (
                ("usual", place.path(_means(course.expected, stride))),
                ("value", place.path(_extremes(course.values, stride))),
            )
            if path
        ),
        y_ticks=tuple(
            Tick(charts.plot_y(value, low, high), wording.count(value)) for value in charts.round_values(low, high)
        ),
        x_ticks=charts.time_ticks(course.start, course.end),
        marks=charts.labelled(list(_marks(course))),
        columns=COLUMNS if course.told else (),
        rows=_rows(course),
    )


def _range(course: Course) -> tuple[float, float]:
    import numpy as np

    known = np.concatenate([each[np.isfinite(each)] for each in (course.values, course.lower, course.upper)])
    seen = course.values[np.isfinite(course.values)]
    if not len(seen):
        return 0.0, 1.0
    low, high = float(seen.min()), float(seen.max())
    span = high - low or abs(high) or 1.0
    inside = known[(known >= low - span) & (known <= high + span)]  # a band may be very wide at first
    low, high = float(inside.min()), float(inside.max())
    room = (high - low or abs(high) or 1.0) * _ROOM
    bottom = 0.0 if 0 <= low < _FROM_ZERO * high else low - room
    return bottom, high + room


@dataclass(frozen=True, slots=True)
class _Place:
    """Steps and values as places in the box of lines."""

    course: Course
    low: float
    high: float

    def at(self, index: float, value: float) -> str:
        x = index / max(len(self.course.values) - 1, 1) * charts.BOX
        y = charts.box_y(min(max(value, self.low), self.high), self.low, self.high)
        return f"{x:.1f} {y:.1f}"

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """A line, broken where a value is NaN; a lone point is a dash."""
        parts: list[str] = []
        for run in _runs(points):
            ends = run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])]
            parts.append("M" + "L".join(self.at(index, value) for index, value in ends))
        return "".join(parts)


def _runs(points: Sequence[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for index, value in points:
        if math.isfinite(value):
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _means(values: "Reals", stride: int) -> list[tuple[float, float]]:
    return [(at + (len(part) - 1) / 2, _mean(part)) for at, part in _parts(values, stride)]


def _mean(part: "Reals") -> float:
    import numpy as np

    known = part[np.isfinite(part)]
    return float(known.mean()) if len(known) else math.nan


def _extremes(values: "Reals", stride: int) -> list[tuple[float, float]]:
    """The lowest and the highest of each stretch, in the order in which they came: no spike gets lost."""
    import numpy as np

    found: list[tuple[float, float]] = []
    for at, part in _parts(values, stride):
        if not np.isfinite(part).any():
            found.append((at, math.nan))
            continue
        ends = sorted({int(np.nanargmin(part)), int(np.nanargmax(part))})
        found += [(at + each, float(part[each])) for each in ends]
    return found


def _parts(values: "Reals", stride: int) -> "Iterator[tuple[int, Reals]]":
    for at in range(0, len(values), stride):
        yield at, values[at : at + stride]


def _band(course: Course, place: _Place, stride: int) -> Iterator[str]:
    lower, upper = _means(course.lower, stride), _means(course.upper, stride)
    both = [(x, (low, high)) for (x, low), (_, high) in zip(lower, upper, strict=True)]
    run: list[tuple[float, tuple[float, float]]] = []
    for x, bounds in [*both, (0.0, (math.nan, math.nan))]:
        if all(math.isfinite(each) for each in bounds):
            run.append((x, bounds))
            continue
        if len(run) > 1:
            around = [(at, high) for at, (_, high) in run] + [(at, low) for at, (low, _) in reversed(run)]
            yield "M" + "L".join(place.at(at, value) for at, value in around) + "Z"
        run = []


def _marks(course: Course) -> Iterator[Mark]:
    whole = course.end - course.start
    shown = course.told[:_MOST_MARKS]
    for each in shown:
        left = min(max((each.start - course.start) / whole, 0.0), 1.0) * 100
        right = min(max((each.end - course.start) / whole, 0.0), 1.0) * 100
        label = each.label if len(shown) <= _MOST_LABELLED else ""
        yield Mark(each.kind, round(left, 2), max(round(right - left, 2), _NARROWEST), label, "start", each.text)


def _rows(course: Course) -> Rows:
    return tuple((each.start, each.cells) for each in course.told[:_MOST_MARKS] if each.cells)


def row_cells(
    end: datetime, value: float | None, expected: float | None, score: float | None
) -> tuple[tuple[str, str], ...]:
    """A row of the table, by `COLUMNS`."""

    def cell(number: float | None, say: Callable[[float], str]) -> tuple[str, str]:
        return ("", "") if number is None else (say(number), f"{number:.9g}")

    return (
        (wording.utc(end), f"{end:%Y-%m-%dT%H:%M:%SZ}"),
        cell(value, wording.count),
        cell(expected, wording.count),
        cell(score, how_far),
    )
