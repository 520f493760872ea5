"""The geometry of charts about deliveries: numbers in, SVG coordinates and labels out. Templates draw, CSS colours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from exporters.dora.model import Distribution, DoraMetrics, Stage, Week
from exporters.dora.report import numbers
from exporters.dora.report.telling import STAGE_NAMES
from flyball.web import charts
from flyball.web.charts import Lines, Tick
from flyball.web.money_frame import Bar, Frame, MoneyChart, Stroke

_WEEK: Final = timedelta(days=7)
_ROOM: Final = 1.06  # of the largest value, so that nothing touches the upper edge
_INSET: Final = 0.12  # of a week's width, left free on either side of its bar
_DAY_SECONDS: Final = 86400
_HOUR_SECONDS: Final = 3600
_TWO_DAYS: Final = 2 * _DAY_SECONDS
_MEDIAN, _HIGH = Decimal("0.5"), Decimal("0.9")


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution as a bar: places in per cent of the longest shown; `told` in words."""

    name: str
    median: float
    high: float
    value: str
    interval: str
    samples: int
    told: str


def trend(weeks: Sequence[Week], value: Callable[[Week], Decimal | int | None]) -> Lines | None:
    """A small line through the weeks, from zero; a week without a value is a gap. None with fewer than two values."""
    points = [(_midnight(week.first), float(found)) for week in weeks if (found := value(week)) is not None]
    if len(points) < 2:
        return None
    start, end = _midnight(weeks[0].first), _midnight(weeks[-1].first)
    high = max(value for _, value in points) or 1.0
    return charts.lines_of(tuple(points), start=start, end=end, step=_WEEK, low=0.0, high=high)


def deployments_chart(weeks: Sequence[Week]) -> MoneyChart:
    """What was deployed in each week, and of it what failed."""
    if not any(week.deployments for week in weeks):
        return MoneyChart("deployments", "Deployments a week", "")
    frame = _frame(weeks, max(week.deployments for week in weeks))
    total, failed = sum(week.deployments for week in weeks), sum(week.failed for week in weeks)
    rework = sum(week.rework for week in weeks)
    said = f"{numbers.counted(total, 'deployment')} in {numbers.counted(len(weeks), 'week')}"
    ticks = [each for each in charts.round_values(0.0, frame.high) if each == int(each)]
    return MoneyChart(
        name="deployments",
        title="Deployments a week",
        description=f"{said}; {failed:,} failed (the lower, darker part), {rework:,} rework.",
        bars=(
            *_bars("day", frame, weeks, lambda it: it.deployments),
            *_bars("failed", frame, weeks, lambda it: it.failed),
        ),
        y_ticks=tuple(Tick(frame.y(each), f"{each:,.0f}") for each in ticks),
        x_ticks=charts.time_ticks(frame.start, frame.end),
        columns=("Deployments", "Failed", "Rework"),
        rows=tuple(
            (
                _midnight(week.first),
                tuple((f"{each:,}", str(each)) for each in (week.deployments, week.failed, week.rework)),
            )
            for week in weeks
        ),
    )


def times_chart(weeks: Sequence[Week]) -> MoneyChart:
    """Medians of each week: lead time and recovery."""
    leads = [(_midnight(it.first), float(it.lead_time_median)) for it in weeks if it.lead_time_median is not None]
    back = [(_midnight(it.first), float(it.recovery_median)) for it in weeks if it.recovery_median is not None]
    if not (leads or back):
        return MoneyChart("times", "Change lead time and recovery, weekly medians", "")
    highest = max(value for _, value in [*leads, *back])
    size, unit = (_DAY_SECONDS, "d") if highest > _TWO_DAYS else (_HOUR_SECONDS, "h")
    frame = _frame(weeks, highest / size)
    lines = [
        Stroke(kind, frame.path([(at, value / size) for at, value in points], gap=_WEEK))
        for kind, points in (("money", leads), ("p1", back))
    ]
    ends = [("", *points[-1], named) for named, points in (("lead time", leads), ("recovery", back)) if points]
    labels = frame.spread([(kind, at, value / size, text) for kind, at, value, text in ends])
    ticks = charts.round_values(0.0, frame.high)
    return MoneyChart(
        name="times",
        title="Change lead time and recovery, weekly medians",
        description=f"{_course('Lead time', leads)} {_course('Recovery', back)} A week without any is a gap.",
        lines=tuple(each for each in lines if each.path),
        labels=labels,
        y_ticks=tuple(Tick(frame.y(each), f"{each:g} {unit}") for each in ticks),
        x_ticks=charts.time_ticks(frame.start, frame.end),
        columns=("Lead time", "Recovery"),
        rows=tuple(
            (_midnight(it.first), (_time_cell(it.lead_time_median), _time_cell(it.recovery_median))) for it in weeks
        ),
    )


def spreads(metrics: DoraMetrics) -> tuple[Spread, ...]:
    """The lead time and its stages as bars on one scale: up to the median, and on to what nine of ten stay within."""
    found = [("lead time", metrics.lead_time), *((STAGE_NAMES[it], metrics.stages.get(it)) for it in Stage)]
    shown = [(name, it) for name, it in found if it is not None and it.median.value is not None]
    longest = max((_high(it) for _, it in shown), default=0.0) or 1.0
    return tuple(_spread(name, it, longest) for name, it in shown)


def _spread(name: str, it: Distribution, longest: float) -> Spread:
    median, high = float(it.median.value or 0), _high(it)
    value = numbers.brief(it.median.value)
    told = f"{name}: half within {value}, nine of ten within {numbers.brief(Decimal(str(high)))}"
    return Spread(
        name=name,
        median=round(median / longest * 100, 2),
        high=round(high / longest * 100, 2),
        value=value,
        interval=numbers.time_interval(it.median),
        samples=it.median.samples,
        told=told,
    )


def _high(it: Distribution) -> float:
    estimate = it.quantiles.get(_HIGH)
    return float((estimate.value if estimate else None) or it.median.value or 0)


def _frame(weeks: Sequence[Week], highest: float) -> Frame:
    start, end = _midnight(weeks[0].first), _midnight(weeks[-1].first) + _WEEK
    return Frame(start, end, highest * _ROOM or 1.0)


def _bars(kind: str, frame: Frame, weeks: Sequence[Week], count: Callable[[Week], int]) -> Sequence[Bar]:
    found = []
    for week in weeks:
        at, number = _midnight(week.first), count(week)
        left, right = frame.x(at), frame.x(at + _WEEK)
        inset, height = (right - left) * _INSET, round(number / frame.high * 100, 3)
        told = f"week of {week.first}: {numbers.counted(week.deployments, 'deployment')}, {week.failed:,} failed"
        width = round(right - left - 2 * inset, 3)
        found.append(Bar(kind, round(left + inset, 3), width, round(100 - height, 3), height, told))
    return found


def _course(name: str, points: Sequence[tuple[datetime, float]]) -> str:
    if not points:
        return f"{name}: no data."
    first, last = (numbers.brief(Decimal(str(value))) for _, value in (points[0], points[-1]))
    return f"{name}: from {first} to {last}." if len(points) > 1 else f"{name}: {last}."


def _count_cells(week: Week) -> tuple[tuple[str, str], ...]:
    return tuple((f"{each:,}", str(each)) for each in (week.deployments, week.failed, week.rework))


def _time_cell(seconds: Decimal | None) -> tuple[str, str]:
    return numbers.brief(seconds), "" if seconds is None else f"{seconds} s"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
