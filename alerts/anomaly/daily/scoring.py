"""Score daily costs against what their past lets expect.

On a scale that is linear near 0 and logarithmic above (asinh): a tenth more is a tenth more whatever a day costs, and
days that cost nothing, and credits, do no harm. There a day is a level, which is followed, plus what its weekday and
the edge of the month add. How far such predictions went wrong in the past 8 weeks makes the band.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from alerts.anomaly.daily.level import Followed, best_way, follow, median
from alerts.anomaly.daily.model import Amounts, Booleans, DailyScores
from alerts.anomaly.daily.shape import WEEKEND, edge_of, learned, parts_of, rows_of
from alerts.anomaly.detector.model import Terms
from alerts.anomaly.model import Direction, Maturity, Sensitivity

STANDARD_TERMS: Final = Terms()
WINDOW: Final = 200
"""Days that are learnt from: six or seven month ends."""
WIDTHS: Final = {Sensitivity.LOW: 6.0, Sensitivity.MEDIUM: 4.5, Sensitivity.HIGH: 3.25}
"""Half a band in deviations of the errors."""
_ERRORS: Final = 56  # days whose errors make the band
_LEAST_DAYS: Final = 7  # nothing is scored before
_EVERY_DAY_UNTIL: Final = 28  # days of history; later the shape is learnt anew on Mondays
_AGES: Final = ((_LEAST_DAYS, Maturity.LEVEL), (14, Maturity.DAILY), (62, Maturity.WEEKLY))  # 62 days: two month ends
_TYPICAL_SHARE: Final = 0.1  # of a typical day: below, the scale is linear
_LEAST_RELATIVE: Final = 0.02  # nobody wants to be told of less than this, and invoices are rounded
_QUANTILE: Final = 0.95
_LEAST_WEEKENDS: Final = 6
_TAIL: Final = 1.3  # the band is at least so many times the 95 % quantile of the errors


@dataclass(frozen=True, slots=True)
class _View:
    """What is known of some days (S, D) on the scale of `scaled`; `least` and `typical` (S,), the latter in money."""

    scaled: Amounts
    weekday: Amounts
    edge: Amounts
    rows: Amounts
    followed: Followed
    least: Amounts
    typical: Amounts


def score_days(
    values: Amounts, first_day: date, terms: Terms = STANDARD_TERMS, *, settled: Booleans | None = None
) -> DailyScores:
    """Score every day of (S, D) amounts from the days before it alone; NaN is a day that nobody recorded.

    `settled` (S, D) or (1, D) is False where a day is still being filled in: it is not learnt from, and scored only
    if it already lies above. Of `terms`, direction, sensitivity and least deviations count.
    """
    return newest(values, first_day, terms, days=values.shape[1], settled=settled)


def newest(
    values: Amounts,
    first_day: date,
    terms: Terms = STANDARD_TERMS,
    *,
    days: int = 1,
    settled: Booleans | None = None,
) -> DailyScores:
    """The same as the last `days` columns of `score_days`, for a fraction of its cost."""
    series, count = values.shape
    whole = np.ones(values.shape, dtype=np.bool_) if settled is None else np.broadcast_to(settled, values.shape)
    begin = max(0, count - days)
    parts = [
        _block(values, whole, first_day, start, stop, terms)
        for start, stop in _blocks(first_day, count)
        if stop > begin
    ]
    if not parts:
        return _unknown(series, 0)
    joined = _joined(parts)
    skipped = joined.score.shape[1] - (count - begin)
    return _cut(joined, skipped)


def _blocks(first_day: date, count: int) -> list[tuple[int, int]]:
    """Days that are scored with one shape, stop not included."""
    mondays = [day for day in range(_EVERY_DAY_UNTIL, count) if (first_day + timedelta(days=day)).weekday() == 0]
    starts = sorted({*range(min(count, _EVERY_DAY_UNTIL + 1)), *mondays})
    return list(pairwise([*starts, count]))


def _block(
    values: Amounts, whole: Booleans, first_day: date, start: int, stop: int, terms: Terms
) -> DailyScores:  # fmt: skip
    begin, past = max(0, start - WINDOW), min(start, WINDOW)
    amounts = values[:, begin:stop]
    learnt = np.where(whole[:, begin:stop], amounts, np.nan)
    known = np.isfinite(learnt[:, :past]).sum(axis=1)
    if known.max(initial=0) < _LEAST_DAYS:
        return _unknown(len(values), stop - start)
    typical = _typical(learnt[:, :past])
    scaled = np.arcsinh(learnt / (_TYPICAL_SHARE * typical)[:, None])
    rows = rows_of(first_day + timedelta(days=begin), stop - begin)
    effects = np.array([learned(each[:past], rows[:past]) for each in scaled])
    weekday, edge = parts_of(effects, rows)
    least = np.full(len(values), _LEAST_RELATIVE / 4)
    followed = follow(scaled - weekday - edge, least)
    view = _View(scaled, weekday, edge, rows, followed, least, typical)
    days = [_day(view, day, amounts[:, day], whole[:, begin + day], terms) for day in range(past, stop - begin)]
    return _joined(days)


def _day(view: _View, day: int, amounts: Amounts, whole: Booleans, terms: Terms) -> DailyScores:
    """One day, all (S,), from what was before it."""
    recent = slice(max(0, day - _ERRORS), day)
    errors = (view.scaled - view.weekday - view.edge)[None, :, recent] - view.followed.expected[:, :, recent]
    way = best_way(errors, view.least)
    every = np.arange(len(way))
    chosen, level = errors[way, every], view.followed.expected[way, every, day]
    half = _half(chosen, view.rows[recent, WEEKEND] > 0, view, day, WIDTHS[terms.sensitivity])
    middle = level + view.weekday[:, day] + view.edge[:, day]
    low, high = _with_edges(view, day, way, level, middle - half, middle + half)
    unit = _TYPICAL_SHARE * view.typical
    trend, daily, expected, lower, upper = (
        np.sinh(each) * unit for each in (level, level + view.weekday[:, day], middle, low, high)
    )
    seen = view.scaled[:, :day]
    least = np.maximum(_LEAST_RELATIVE * view.typical, terms.least_absolute)
    least = np.maximum(least, np.abs(expected) * max(terms.least_relative, _LEAST_RELATIVE))
    lower, upper = np.minimum(lower, expected - least), np.maximum(upper, expected + least)
    never_below = np.fmin.reduce(seen, axis=1, initial=0.0) >= 0  # nobody ever got a credit: less than nothing is none
    expected, lower = (np.where(never_below, np.maximum(each, 0), each) for each in (expected, lower))
    score = _score(amounts, expected, lower, upper, terms.direction)
    score = np.where(whole | (amounts > upper), score, np.nan)
    known = np.isfinite(seen).sum(axis=1)
    shifted = view.followed.shifted[way, every, day]
    return _column(known, shifted, (score, expected, lower, upper, trend, daily - trend, expected - daily))


def _half(errors: Amounts, weekend: Booleans, view: _View, day: int, width: float) -> Amounts:
    """Half a band (S,) from errors (S, E) of the past; weekends have their own if they go wrong by more."""
    away = np.abs(errors)
    number = np.maximum(np.isfinite(away).sum(axis=1), 1)
    half: Amounts = np.maximum(width * 1.4826 * median(away), _TAIL / 4.5 * width * _quantile(away))
    if view.rows[day, WEEKEND] > 0 and weekend.sum() >= _LEAST_WEEKENDS:
        half = np.maximum(half, width * 1.4826 * median(away[:, weekend]))
    return np.asarray(np.maximum(half * (1 + 4 / number), width * view.least))


def _with_edges(
    view: _View, day: int, way: Amounts, level: Amounts, low: Amounts, high: Amounts
) -> tuple[Amounts, Amounts]:
    """At the edge of a month, what the same edge did in any of the last three months is no surprise."""
    edges = edge_of(view.rows)
    if edges[day] < 0:
        return low, high
    same = np.flatnonzero(edges[:day] == edges[day])[-3:]
    same = same[same >= _LEAST_DAYS]
    every = np.arange(len(way))[:, None]
    away = (view.scaled - view.weekday)[:, same] - view.followed.expected[way[:, None], every, same[None, :]]
    middle = level + view.weekday[:, day]
    most = np.fmax.reduce(away, axis=1, initial=-np.inf)
    fewest = np.fmin.reduce(away, axis=1, initial=np.inf)
    slack = (high - low) / 4
    return np.minimum(low, middle + fewest - slack), np.maximum(high, middle + most + slack)


def _score(amounts: Amounts, expected: Amounts, lower: Amounts, upper: Amounts, direction: Direction) -> Amounts:
    tiny = np.finfo(np.float64).tiny
    with np.errstate(over="ignore"):
        above = (amounts - expected) / np.maximum(upper - expected, tiny)
        below = (expected - amounts) / np.maximum(expected - lower, tiny)
    if direction is Direction.ABOVE:
        below = np.minimum(below, 0)
    elif direction is Direction.BELOW:
        above = np.minimum(above, 0)
    return np.asarray(np.where(np.isfinite(amounts), np.maximum(np.maximum(above, below), 0), np.nan))


def _typical(amounts: Amounts) -> Amounts:
    """The median of days that cost anything (S,); 1 without any."""
    size = np.abs(amounts)
    found = median(np.where(size > 0, size, np.nan))
    return np.asarray(np.where(found > 0, found, 1.0))


def _quantile(away: Amounts) -> Amounts:
    ordered = np.sort(away, axis=1)
    known = np.isfinite(ordered).sum(axis=1)
    place = np.maximum(np.ceil(_QUANTILE * known).astype(np.int64) - 1, 0)
    return np.asarray(np.nan_to_num(np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]))


def _column(known: Amounts, shifted: Booleans, parts: Sequence[Amounts]) -> DailyScores:
    """(S, 1) of each; nothing of a series of which less than a week is known."""
    unknown = known < _LEAST_DAYS
    score, expected, lower, upper, trend, weekday, edge = (np.where(unknown, np.nan, each)[:, None] for each in parts)
    maturity = np.zeros(len(known), dtype=np.uint8)
    for least, value in _AGES:
        maturity[known >= least] = value
    return DailyScores(
        score, expected, lower, upper, trend, weekday, edge, maturity[:, None], (shifted & ~unknown)[:, None]
    )


def _unknown(series: int, days: int) -> DailyScores:
    nothing = np.full((series, days), np.nan)
    codes, flags = np.zeros((series, days), np.uint8), np.zeros((series, days), np.bool_)
    return DailyScores(nothing, nothing, nothing, nothing, nothing, nothing, nothing, codes, flags)


def _joined(parts: list[DailyScores]) -> DailyScores:
    names = [each.name for each in fields(DailyScores)]
    return DailyScores(*(np.concatenate([getattr(part, name) for part in parts], axis=1) for name in names))


def _cut(scores: DailyScores, skipped: int) -> DailyScores:
    return DailyScores(*(getattr(scores, each.name)[:, skipped:] for each in fields(DailyScores)))
