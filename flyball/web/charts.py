"""The geometry of charts: numbers in, SVG coordinates and labels out. Templates draw them, CSS colours them.

Lines live in a box of 1000 × 1000 that the page stretches; a gap in the data is a gap in the line. Labels, grid and
marks are placed in per cent of the width and in pixels of the height, so that text keeps its size on every screen.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from slo.status import Deployment, FiringPeriod, Points, SLOHistory

BOX: Final = 1000
HEIGHT: Final = 180  # pixels of the plot
TOP: Final = 28  # pixels above it, where marks are labelled
_CHARACTER_ROOM: Final = 1.9  # per cent of the width that a character of a label takes, on a phone
_LAST_START: Final = 86  # per cent: labels of marks further right stand on their left
_GAP: Final = 1.5  # steps without a point that break the line
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lines:
    """SVG path data of a line and of the area between it and `baseline` (a y in the box); empty without points."""

    line: str
    area: str
    baseline: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis: x in per cent or y in pixels."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a vertical at x, or a band of `width` (per cent).

    `kind` is `page`, `ticket` or `deployment`; `label` is empty where it would collide with another; `told` is the
    whole story, for tooltips and tables.
    """

    kind: str
    x: float
    width: float
    label: str
    anchor: str
    told: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw one chart, and to say it in words."""

    name: str
    title: str
    description: str
    lines: Lines
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    reference: Tick | None
    table: Points


def sparkline(points: Points, start: datetime, end: datetime, step: timedelta) -> Lines:
    """The budget in a table row: from 0, or from the deepest overspending, up to 1."""
    return lines_of(points, start=start, end=end, step=step, low=min([0.0, *(value for _, value in points)]), high=1.0)


def budget_chart(history: SLOHistory) -> Chart:
    """The budget left, from 0 (or the deepest overspending) to 100 %."""
    low = min([0.0, *(value for _, value in history.budget)])
    return _chart(
        "budget", "Error budget left", history, history.budget, bounds=(low, 1.0), reference=None, word="budget left"
    )


def sli_chart(history: SLOHistory, objective: float) -> Chart:
    """The share of good events in each step, with the objective as a reference; the axis does not begin at 0."""
    low = min([objective - (1 - objective), *(value for _, value in history.sli)])
    return _chart(
        "sli", "Good events", history, history.sli, bounds=(low, 1.0), reference=objective, word="good events"
    )


def _chart(
    name: str,
    title: str,
    history: SLOHistory,
    points: Points,
    *,
    bounds: tuple[float, float],
    reference: float | None,
    word: str,
) -> Chart:
    low, high = bounds
    say = wording.percent if reference is None else wording.good_percent
    span = wording.duration(history.end - history.start)
    return Chart(
        name=name,
        title=f"{title}, {span}",
        description=_description(points, word, len(history.firing), say),
        lines=lines_of(points, start=history.start, end=history.end, step=history.step, low=low, high=high),
        y_ticks=tuple(Tick(plot_y(value, low, high), say(value)) for value in round_values(low, high)),
        x_ticks=time_ticks(history.start, history.end),
        marks=_marks(history),
        reference=None if reference is None else Tick(plot_y(reference, low, high), f"objective {say(reference)}"),
        table=thinned(points),
    )


def _description(points: Points, word: str, firing: int, say: Callable[[float], str]) -> str:
    if not points:
        return f"No data for {word} in this time."
    values = [value for _, value in points]
    alerts = {0: "No alert fired.", 1: "One alert fired."}.get(firing, f"Alerts fired {firing} times.")
    return (
        f"From {say(values[0])} to {say(values[-1])} {word}, lowest {say(min(values))}, highest {say(max(values))}. "
        f"{alerts}"
    )


def lines_of(points: Points, *, start: datetime, end: datetime, step: timedelta, low: float, high: float) -> Lines:
    """A line through points, broken where more than a step and a half lie between two."""
    span = (end - start).total_seconds() or 1.0
    baseline = box_y(max(low, min(0.0, high)), low, high)
    runs: list[list[tuple[float, float]]] = []
    last: datetime | None = None
    for at, value in points:
        if last is None or at - last > step * _GAP:
            runs.append([])
        last = at
        runs[-1].append(((at - start).total_seconds() / span * BOX, box_y(value, low, high)))
    drawn = [run if len(run) > 1 else [run[0], (run[0][0] + 2, run[0][1])] for run in runs]
    line = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run) for run in drawn)
    area = "".join(
        f"M{run[0][0]:.1f} {baseline:.1f}L" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run) + f"L{run[-1][0]:.1f} "
        f"{baseline:.1f}Z"
        for run in drawn
    )
    return Lines(line, area, baseline)


def box_y(value: float, low: float, high: float) -> float:
    """The height of a value in the box of lines: `high` is 0, `low` is `BOX`."""
    return (high - value) / ((high - low) or 1.0) * BOX


def plot_y(value: float, low: float, high: float) -> float:
    """The height of a value in pixels of the whole drawing."""
    return round(TOP + box_y(value, low, high) / BOX * HEIGHT, 1)


def round_values(low: float, high: float) -> list[float]:
    """Three to five round numbers between the two, both included where they are round."""
    rough = (high - low) / 4 or 1.0
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def time_ticks(start: datetime, end: datetime) -> tuple[Tick, ...]:
    """Four to seven round times in UTC, not so near to the edges that their labels would be cut."""
    span = end - start
    sizes = [timedelta(hours=h) for h in (1, 3, 6, 12)] + [_DAY * d for d in (1, 2, 7, 14, 30, 90)]
    size = next((size for size in sizes if span / size <= 7), sizes[-1])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks: list[Tick] = []
    at = midnight
    while at <= end:
        share = (at - start) / span * 100
        if 5 <= share <= 95:
            ticks.append(Tick(round(share, 2), f"{at:%H:%M}" if size < _DAY else f"{at.day} {at:%b}"))
        at += size
    return tuple(ticks)


def _marks(history: SLOHistory) -> tuple[Mark, ...]:
    bare = [_alert_mark(period, history) for period in history.firing]
    return labelled(bare + [_deployment_mark(deployment, history) for deployment in history.deployments])


def labelled(bare: Sequence[Mark]) -> tuple[Mark, ...]:
    """Pages get their labels first, then tickets, then the rest: a label that would cover another is left out."""
    ranks = {names.SEVERITY_PAGE: 0, names.SEVERITY_TICKET: 1}
    taken: list[tuple[float, float]] = []
    marks: list[Mark] = []
    for mark in sorted(bare, key=lambda mark: (ranks.get(mark.kind, 2), mark.x)):
        room = len(mark.label) * _CHARACTER_ROOM
        left = mark.x - room if mark.x > _LAST_START else mark.x
        free = all(left + room < other or left > end for other, end in taken)
        taken += [(left, left + room)] if free else []
        anchor = "end" if mark.x > _LAST_START else "start"
        marks.append(dataclasses.replace(mark, anchor=anchor, label=mark.label if free else ""))
    return tuple(sorted(marks, key=lambda mark: mark.x))


def _alert_mark(period: FiringPeriod, history: SLOHistory) -> Mark:
    severity = period.severity or "alert"
    x, right = _share(period.start, history), _share(period.end, history)
    told = f"{period.alert}, {severity}: {wording.utc(period.start)} to {wording.utc(period.end)}"
    return Mark(kind=severity, x=x, width=round(right - x, 2), label=severity, anchor="", told=told)


def _deployment_mark(it: Deployment, history: SLOHistory) -> Mark:
    told = f"deployment of {it.version}: {wording.utc(it.at)}"
    return Mark(kind="deployment", x=_share(it.at, history), width=0, label=it.version, anchor="", told=told)


def _share(at: datetime, history: SLOHistory) -> float:
    share = (at - history.start) / (history.end - history.start) * 100
    return round(min(max(share, 0.0), 100.0), 2)


def thinned(points: Sequence[tuple[datetime, float]], most: int = 60) -> Points:
    """At most `most` points, evenly taken, always with the last."""
    stride = max(math.ceil(len(points) / most), 1)
    return tuple(reversed(points[::-1][::stride]))
