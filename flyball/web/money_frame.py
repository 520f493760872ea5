"""What charts about money are made of, and the places of times and amounts in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from flyball.web import charts
from flyball.web.charts import Mark, Tick
from flyball.web.money_status import Points

_LABEL_GAP: Final = 14  # pixels between two direct labels
_NEAR_THE_MARKS: Final = charts.TOP + 12  # pixels: where labels of marks stand
_BELOW: Final = 19  # pixels from above a line to below it
_MIDDLE: Final = 50  # per cent: words right of it stand on the left of their line's end
Rows = tuple[tuple[datetime, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """SVG path data and the class that styles it."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words beside a line: x in per cent, y in pixels."""

    kind: str
    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a bar chart, in per cent of the width and of the height; `told` for tooltips."""

    kind: str
    x: float
    width: float
    y: float
    height: float
    told: str


@dataclass(frozen=True, slots=True)
class MoneyChart:
    """All that a template needs to draw one chart, and to say it in words and as a table.

    `rows` are a time and a cell for each of `columns`; a cell is what readers see and the exact value.
    """

    name: str
    title: str
    description: str
    areas: tuple[Stroke, ...] = ()
    lines: tuple[Stroke, ...] = ()
    bars: tuple[Bar, ...] = ()
    labels: tuple[Label, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_ticks: tuple[Tick, ...] = ()
    marks: tuple[Mark, ...] = ()
    now_x: float | None = None
    columns: tuple[str, ...] = ()
    rows: Rows = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not (self.areas or self.lines or self.bars)


@dataclass(frozen=True, slots=True)
class Frame:
    """Times and amounts as places in a plot from 0 to `high`."""

    start: datetime
    end: datetime
    high: float

    def x(self, at: datetime) -> float:
        """In per cent."""
        span = (self.end - self.start).total_seconds() or 1.0
        return round(min(max((at - self.start).total_seconds() / span * 100, 0.0), 100.0), 2)

    def path(self, points: Points | Sequence[tuple[datetime, float]], gap: timedelta | None = None) -> str:
        """A line, broken where a step is missing when `gap` says how long one is."""
        step = gap or (self.end - self.start) * 2
        return charts.lines_of(
            tuple(points), start=self.start, end=self.end, step=step, low=0.0, high=self.high
        ).line  # fmt: skip

    def polygon(self, lower: Points, upper: Points) -> str:
        """The area between two lines."""
        around = [*upper, *reversed(lower)]
        return "M" + "L".join(f"{self.x(at) * 10:.1f} {charts.box_y(v, 0.0, self.high):.1f}" for at, v in around) + "Z"

    def y(self, value: float) -> float:
        """In pixels."""
        return charts.plot_y(value, 0.0, self.high)

    def y_ticks(self, currency: str) -> tuple[Tick, ...]:
        """Round amounts; the largest names the currency."""
        values = charts.round_values(0.0, self.high)
        said = [wording.money(value, currency if value == values[-1] else "") for value in values]
        return tuple(Tick(self.y(value), text) for value, text in zip(values, said, strict=True))

    def bars(
        self, kind: str, days: Sequence[tuple[datetime, Decimal | float]], currency: str
    ) -> tuple[Bar, ...]:  # fmt: skip
        """A bar for each day; negative days (credits) have none, and say so."""
        found = []
        for at, value in days:
            left, right = self.x(at), self.x(at + timedelta(days=1))
            height = min(max(float(value), 0.0) / self.high, 1.0) * 100
            inset = (right - left) * (0.0 if kind == "expected" else 0.15)
            told = f"{at:%Y-%m-%d}: {wording.money(value, currency)}"
            width = round(right - left - 2 * inset, 3)
            found.append(Bar(kind, round(left + inset, 3), width, round(100 - height, 3), round(height, 3), told))
        return tuple(found)

    def spread(self, wanted: Sequence[tuple[str, datetime, float, str]]) -> tuple[Label, ...]:
        """Direct labels beside the ends of lines, moved apart where they would cover each other."""
        labels: list[Label] = []
        for kind, at, value, text in sorted(wanted, key=lambda it: -it[2]):
            x, y = self.x(at), self.y(value) - 5
            y = y if y > _NEAR_THE_MARKS else y + _BELOW
            right = x > _MIDDLE
            for other in labels:
                if other.anchor == ("end" if right else "start") and abs(other.y - y) < _LABEL_GAP:
                    y = other.y + _LABEL_GAP
            labels.append(Label(kind, x, round(y, 1), "end" if right else "start", text))
        return tuple(labels)
