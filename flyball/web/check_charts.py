"""The geometry of what is drawn of checks: bars of runs, parts of a run, hours of a week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import wording
from controlplane.model.check import Outcome
from flyball.web.charts import Tick
from synthetics.check_history import Course, HourOfRuns, Strip
from synthetics.grid import BARS, Cell

BAR_WIDTH: Final = 6  # of a run in a cell: 5 and a gap
BAR_HEIGHT: Final = 16
HOUR_WIDTH: Final = 6
_LEAST_FAILED: Final = 25.0  # per cent of the height: one failure in an hour is seen
_SHADES: Final = 6
_MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place in a drawing, with the class that styles it and what it means."""

    kind: str
    x: float
    width: float
    y: float
    height: float
    told: str = ""


@dataclass(frozen=True, slots=True)
class RunBars:
    """The last runs of a cell; `told` says them in words."""

    width: int
    height: int
    bars: tuple[Rectangle, ...]
    told: str


@dataclass(frozen=True, slots=True)
class DrawnStrip:
    """A week of a region; worth telling are hours in which not every run was ok, newest first."""

    strip: Strip
    width: int
    bars: tuple[Rectangle, ...]
    told: str
    worth_telling: tuple[HourOfRuns, ...]


def seconds(value: float) -> str:
    """A short time as people say it: `0.05 ms`, `34 ms`, `1.25 s`; longer ones as any duration."""
    if value < 1:
        milliseconds = value * _MILLISECONDS
        return f"{wording.significant(milliseconds, 3 if milliseconds >= 1 else 2)} ms"
    return f"{wording.significant(value)} s" if value < 60 else wording.duration(timedelta(seconds=value))


def run_bars(cell: Cell) -> RunBars:
    """The newest on the right."""
    first = BARS - len(cell.bars)
    bars = []
    for number, bar in enumerate(cell.bars):
        height = bar.height * BAR_HEIGHT
        result = bar.result
        said = result.detail or result.reason or result.outcome.value
        told = f"{wording.utc(result.started_at)}: {seconds(result.duration_seconds)}, {said}"
        x = (first + number) * BAR_WIDTH
        y = round(BAR_HEIGHT - height, 1)
        bars.append(Rectangle(result.outcome.value, x, BAR_WIDTH - 1, y, round(height, 1), told))
    failed = sum(bar.result.outcome is Outcome.FAILED for bar in cell.bars)
    faults = sum(bar.result.outcome is Outcome.FAULT for bar in cell.bars)
    told = f"Last {len(bars)} runs: {len(bars) - failed - faults} ok" + (f", {failed} failed" if failed else "")
    return RunBars(
        BARS * BAR_WIDTH, BAR_HEIGHT, tuple(bars), told + (f", {faults} prober faults" if faults else "")
    )  # fmt: skip


def places(course: Course) -> tuple[Rectangle, ...]:
    """The parts of a run, in per cent of the width."""
    return tuple(
        Rectangle(
            f"p{number % _SHADES}",
            round(part.start * 100, 2),
            round(part.width * 100, 2),
            0,
            100,
            f"{part.name}: {seconds(part.seconds)}",
        )
        for number, part in enumerate(course.parts)
    )


def names_of_parts(courses: Sequence[Course]) -> tuple[str, ...]:
    """Of all regions, each once, in the order of the runs."""
    return tuple(dict.fromkeys(part.name for course in courses for part in course.parts))


def strip(it: Strip) -> DrawnStrip:
    """A bar for each hour in which anything ran: what failed stands at the bottom. Elsewhere the ground shows."""
    bars: list[Rectangle] = []
    for number, hour in enumerate(it.hours):
        bars += _hour(number * HOUR_WIDTH, hour)
    share = wording.good_percent(it.ok_ratio) if it.ok_ratio is not None else "no data"
    told = f"{it.region}: {share} of {wording.count(it.runs)} runs ok, {it.failed} failed, {it.fault} prober faults"
    worth = tuple(hour for hour in reversed(it.hours) if hour.failed or hour.fault)
    return DrawnStrip(it, len(it.hours) * HOUR_WIDTH, tuple(bars), told, worth)


def day_ticks(strips: Sequence[Strip]) -> tuple[Tick, ...]:
    """Where days begin, in per cent."""
    hours = strips[0].hours if strips else ()
    return tuple(
        Tick(round(number / len(hours) * 100, 2), f"{hour.start.day} {hour.start:%b}")
        for number, hour in enumerate(hours)
        if hour.start.hour == 0
    )


def _hour(x: int, hour: HourOfRuns) -> list[Rectangle]:
    width = HOUR_WIDTH - 1
    share = hour.failed_share
    ground = Rectangle("ground", x, HOUR_WIDTH, 0, 100)
    if share is None:
        told = f"{wording.utc(hour.start)}: {hour.fault} prober faults"
        return [ground, Rectangle("fault", x, width, 0, 100, told)] if hour.fault else []
    told = f"{wording.utc(hour.start)}: {hour.ok} ok, {hour.failed} failed" + (
        f", {hour.fault} prober faults" if hour.fault else ""
    )
    bars = [ground, Rectangle("ok", x, width, 0, 100, told)]
    if hour.failed:
        height = round(max(share * 100, _LEAST_FAILED), 1)
        bars.append(Rectangle("failed", x, width, 100 - height, height, told))
    return bars
