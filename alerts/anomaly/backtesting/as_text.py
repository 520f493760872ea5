"""Backtests in a terminal: what would have been told, how often, and the course of the worst series."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.backtesting.model import Backtest, Curve
from alerts.anomaly.detector.model import Floats
from alerts.anomaly.explaining.sentences import how_far, under_a_row
from alerts.anomaly.explaining.sparkline import marks_under, sparkline
from controlplane import wording
from controlplane.model.anomaly import Episode

MOST_ROWS: Final = 40
_WIDTH: Final = 72
_KINDS: Final = {"point": "point", "sustained": "sustained", "level_shift": "new level", "gap": "no samples"}


def as_text(tests: Sequence[Backtest], *, most: int = MOST_ROWS) -> str:
    """One definition in full, or several side by side and the first in full. Times are UTC; ends with a line break."""
    first = tests[0]
    lines = [*_head(first), ""]
    if len(tests) > 1:
        lines += [*_compared(tests), ""]
    lines += [*_episodes(first, most), ""] if first.episodes else []
    lines += list(_course(first))
    lines += [f"Note: {each}" for each in first.warnings]
    return "\n".join([*lines, *(_in_short(each) for each in tests), ""])


def _head(test: Backtest) -> Iterator[str]:
    length = wording.duration(test.until - test.since)
    groups = f" and {test.groups:,} groups" if test.groups else ""
    yield f"{test.label}: {wording.utc(test.since)} to {wording.utc(test.until)}, {length},"
    yield f"{test.series:,} series{groups}, a step of {wording.duration(test.detector.step)}"


def _compared(tests: Sequence[Backtest]) -> Iterator[str]:
    rows = [("", *(each.label for each in tests))]
    rows.append(("alarms", *(f"{len(each.alarms):,}" for each in tests)))
    rows.append(("a series and month", *(_rate(each) for each in tests)))
    rows.append(("open, in all", *(wording.duration(each.open_time) for each in tests)))
    for kind, word in _KINDS.items():
        counts = [sum(episode.kind == kind for episode in each.episodes) for each in tests]
        if any(counts):
            rows.append((f"  {word}", *(f"{each:,}" for each in counts)))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        first = row[0].ljust(widths[0])
        yield "  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()


def _episodes(test: Backtest, most: int) -> Iterator[str]:
    worst = sorted(test.episodes, key=lambda each: -float(each.score or 0))[:most]
    shown = [each for each in test.episodes if each in worst]
    yield f"{'START (UTC)':<16}  {'FOR':>9}  {'KIND':<10}  {'SCORE':>6}  SERIES"
    for each in shown:
        length = wording.duration((each.ended_at or test.until) - each.started_at)
        length = length if each.ended_at else f"{length}…"
        score = "" if each.score is None else how_far(float(each.score))
        kind = _KINDS.get(each.kind, each.kind)
        yield f"{each.started_at:%Y-%m-%d %H:%M}  {length:>9}  {kind:<10}  {score:>6}  {each.series}"
        yield from under_a_row(each.explanation)
    if len(shown) < len(test.episodes):
        yield f"The {len(shown)} with the highest scores; --json has all {len(test.episodes):,}."


def _course(test: Backtest) -> Iterator[str]:
    told = {each.series for each in test.episodes}
    for curve in [each for each in test.curves if each.series in told][:3]:
        yield from curve_lines(curve, [each for each in test.episodes if each.series == curve.series])
        yield ""


def curve_lines(curve: Curve, episodes: Sequence[Episode] = ()) -> Iterator[str]:
    """The highest values of each stretch of time, what was expected of them, and under them where anomalies were."""
    low, high = _bounds(curve.values, curve.expected)
    yield curve.series
    yield f"  value     {sparkline(curve.values, _WIDTH - 12, low, high)}"
    yield f"  expected  {sparkline(curve.expected, _WIDTH - 12, low, high)}"
    end = curve.start + len(curve.values) * curve.step
    spans = [
        (_share(each.started_at, curve.start, end), _share(each.ended_at or end, curve.start, end)) for each in episodes
    ]
    if spans:
        yield f"  anomaly   {marks_under(spans, _WIDTH - 12)}"
    yield f"  {wording.count(low)} to {wording.count(high)}, {_days(curve.start, end)}"


def _bounds(values: Floats, expected: Floats) -> tuple[float, float]:
    known = np.concatenate([values[np.isfinite(values)], expected[np.isfinite(expected)]])
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _share(at: datetime, start: datetime, end: datetime) -> float:
    return min(max((at - start) / (end - start), 0.0), 1.0) if end > start else 0.0


def _days(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


def _rate(test: Backtest) -> str:
    rate = test.alarms_per_series_month
    return wording.MISSING if rate is None else wording.significant(rate)


def _in_short(test: Backtest) -> str:
    alarms = len(test.alarms)
    if test.scored == timedelta(0):
        return f"{test.label}: nothing could be scored: there are no samples, or less than a day of them."
    counted = "no alarm" if not alarms else f"{alarms:,} alarm{'' if alarms == 1 else 's'}"
    series = len({each.series for each in test.alarms})
    of = f" of {series:,} series" if alarms else ""
    rate, length = _rate(test), wording.duration(test.open_time)
    return f"{test.label}: {counted}{of}, {rate} a series and month; {length} open in all."
