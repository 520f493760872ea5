"""All of a past at once: baselines, residuals and ranges of every step, each from what came before it.

Shared by `history` (which scores every step) and `live` (which wants what is known at the end).
"""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.bands import Range, floors
from alerts.anomaly.detector.baselines import DAILY, NONE, block_lags, over_lags, spread, weekly_median
from alerts.anomaly.detector.choosing import ERRORS, Choosing, all_errors, replayed, take
from alerts.anomaly.detector.levels import Blocks, Coverage, blocks_of, coverage, in_blocks, levels
from alerts.anomaly.detector.model import NEVER, Booleans, Codes, Floats, Panel, Steps, Terms
from alerts.anomaly.detector.settings import (
    LEAST_SLOW_SHARE,
    RECENT_DAYS,
    WEEKLY_DAYS,
    block_steps,
    refit_steps,
    slow_steps,
)
from alerts.anomaly.detector.values import clean, rates, scored
from alerts.anomaly.model import Values


@dataclass(frozen=True, slots=True)
class Timing:
    """Of a grid, in steps."""

    first: int
    count: int
    per_day: int
    block: int
    refit: int
    slow: int

    @classmethod
    def of(cls, panel: Panel) -> "Timing":
        """Of the panel's grid."""
        step, per_day = panel.grid.step, max(1, panel.grid.per_day)
        count = panel.values.shape[1]
        return cls(panel.grid.first, count, per_day, block_steps(step), refit_steps(step), slow_steps(step))

    @property
    def before(self) -> int:
        """Steps between the last fit's step before the panel and its first step."""
        return self.first % self.refit

    @property
    def segments(self) -> int:
        """How many stretches between fits the panel touches."""
        return -(-(self.before + self.count) // self.refit)

    def segment(self, number: int) -> slice:
        """Its steps, counted from the panel's first."""
        start = number * self.refit - self.before
        return slice(max(start, 0), min(start + self.refit, self.count))


@dataclass(frozen=True, slots=True)
class Samples:
    """What is scored and what is learnt, on the scale on which it is scored."""

    values: Floats  # (S, T)
    learnt: Floats  # the same without the steps that are not learnt from
    holes: bool  # NaN somewhere in `learnt`

    @classmethod
    def of(cls, panel: Panel, terms: Terms) -> "Samples":
        """Of a panel."""
        values = clean(panel.values)
        if terms.values is Values.COUNTER:
            values = rates(panel.values, panel.grid.step.total_seconds())
        values = scored(values, terms.values)
        learnt = values
        if panel.fitted is not None and not panel.fitted.all():
            learnt = np.where(panel.fitted, values, np.float32(np.nan))
        return cls(values, learnt, not bool(np.isfinite(learnt).all()))


@dataclass(frozen=True, slots=True)
class Prepared:
    """(S, T) each, unless said otherwise."""

    samples: Samples
    level: Floats
    expected: Floats
    stage: Codes  # how much the baselines know: `LEVEL_STAGE`, `DAY_STAGE`, `WEEK_STAGE`
    expected_code: Codes  # of `expected`: daily, weekly, or the level where there is no day yet
    baseline: Codes  # with the least error lately
    residual: Floats  # |sample − expected|; below the floor it is 0
    best_residual: Floats  # sample − best baseline, of learnt steps
    mean: Floats  # of the best baseline's residual, over 3 hours
    floor: Floats
    coverage: Coverage  # by block
    blocks: Blocks
    block_levels: Floats  # (S, blocks + 1)
    choosing: Choosing  # as it stands after the last step
    shifted: Booleans  # (S, segments)
    anchors: Steps  # (S, segments) of the last shift before
    began: Steps  # (S,) the first step with a sample, counted from the epoch; `NEVER`: none


@dataclass(frozen=True, slots=True)
class Basis:
    """Samples of a panel, and its hours."""

    samples: Samples
    blocks: Blocks
    block_levels: Floats  # (S, blocks + 1)
    extremes: Range  # (S, segments)

    @classmethod
    def of(cls, panel: Panel, terms: Terms) -> "Basis":
        """Of a panel."""
        timing, samples = Timing.of(panel), Samples.of(panel, terms)
        blocks = blocks_of(samples.values, samples.learnt, timing.first, timing.block, holes=samples.holes)
        return cls(samples, blocks, levels(blocks), extremes(samples.learnt, timing))


def prepare(panel: Panel, terms: Terms, basis: Basis | None = None) -> Prepared:
    """Of a panel's past."""
    timing = Timing.of(panel)
    known = basis or Basis.of(panel, terms)
    samples, blocks, block_levels = known.samples, known.blocks, known.block_levels
    level = spread(block_levels, blocks.before, timing.count, timing.block)
    daily, plain, weekly = seasons(panel, terms, samples, blocks, block_levels, level)
    began = first_samples(samples.values, timing.first)
    errors = all_errors(*(np.abs(samples.learnt - baseline) for baseline in (level, daily, weekly, plain)))
    sums, counts = _by_segment(errors, timing)
    columns = [timing.segment(number).start for number in range(timing.segments)]
    starts = timing.first + np.array(columns, dtype=np.int64)
    mature = is_mature(began[:, None], starts, timing.per_day)
    choosing, choices = replayed(sums, counts, level[:, columns], mature, starts, timing.per_day, timing.refit)
    expected, expected_code = take(_steps(choices.seasonal, timing), level, daily, weekly)
    best, baseline = take(_steps(choices.best, timing), level, daily, weekly)
    floor = floors(level)
    away = np.abs(samples.values - expected)
    best_residual = samples.learnt - best
    return Prepared(
        samples,
        level,
        expected,
        stage_of(expected_code, weekly),
        expected_code,
        baseline,
        np.where(away < floor, np.float32(0), away),
        best_residual,
        moving_mean(best_residual, timing.slow),
        floor,
        coverage(blocks, began, timing.first),
        blocks,
        block_levels,
        choosing,
        choices.shifted,
        choices.anchors,
        began,
    )


def seasons(
    panel: Panel, terms: Terms, samples: Samples, blocks: Blocks, block_levels: Floats, level: Floats
) -> tuple[Floats, Floats, Floats]:
    """Daily (at today's level), daily as it was, and weekly baselines (S, T); NaN where there is none."""
    count = samples.values.shape[1]
    nothing = np.full(samples.values.shape, np.nan, dtype=np.float32)
    plain, weekly = nothing, nothing
    daily = nothing
    if terms.daily:
        lags = panel.phases.daily[:count]
        in_hours = block_lags(lags, blocks.before, blocks.steps)
        by_hour = over_lags(block_levels[:, :-1], in_hours, 0, holes=bool(np.isnan(block_levels).any()))
        level_then = spread(by_hour, blocks.before, count, blocks.steps)
        plain = over_lags(samples.learnt, lags, 0, holes=samples.holes, third=level_then)
        daily = plain + (level - level_then)
    if terms.weekly:
        weekly = weekly_median(samples.learnt, panel.phases.weekly[:count], 0, plain, holes=samples.holes)
    return daily, plain, weekly


def first_samples(values: Floats, first: int) -> Steps:
    """Step of each series' first sample; `NEVER` where there is none."""
    seen = np.isfinite(values)
    return np.where(seen.any(axis=1), seen.argmax(axis=1) + first, NEVER).astype(np.int64)


def _by_segment(errors: list[Floats], timing: Timing) -> tuple[Floats, Floats]:
    """Sums of absolute errors, and how many there are: (S, segments, errors)."""
    series = errors[0].shape[0]
    sums = np.zeros((series, timing.segments, ERRORS), dtype=np.float32)
    counts = np.full_like(sums, timing.refit)
    for at, error in enumerate(errors):
        if at > ERRORS - 3 and error is errors[at - 3]:
            sums[:, :, at], counts[:, :, at] = sums[:, :, at - 3], counts[:, :, at - 3]
            continue
        parts = in_blocks(error, timing.refit, timing.before, np.nan)
        whole: Floats = parts @ np.ones(timing.refit, dtype=np.float32)  # much faster than `sum`
        holes = np.nonzero(np.isnan(whole))
        if holes[0].size:
            part = parts[holes]
            known = np.isfinite(part)
            whole[holes] = np.where(known, part, 0).sum(axis=1)
            counts[holes[0], holes[1], at] = known.sum(axis=1)
        sums[:, :, at] = whole
    return sums, counts


def is_mature(began: Steps, index: int | Steps, per_day: int) -> Booleans:
    """Whether a series is known for two weeks."""
    mature: Booleans = (began != NEVER) & (index - began >= WEEKLY_DAYS * per_day)
    return mature


def _steps(by_segment: Codes, timing: Timing) -> Codes:
    return np.repeat(by_segment, timing.refit, axis=1)[:, timing.before : timing.before + timing.count]


def moving_mean(residuals: Floats, width: int) -> Floats:
    """Mean over the last `width` steps (S, T); NaN where fewer than a quarter are known."""
    known = np.isfinite(residuals)
    series, count = residuals.shape
    sums = np.zeros((series, count + 1), dtype=np.float64)
    whole = bool(known.all())
    sums[:, 1:] = residuals
    if not whole:
        sums[:, 1:][~known] = 0
    np.cumsum(sums, axis=1, out=sums)
    late = max(count - width + 1, 1)
    mean = np.empty((series, count), dtype=np.float32)
    mean[:, :width] = sums[:, 1 : width + 1]
    np.subtract(sums[:, width + 1 :], sums[:, 1:late], out=mean[:, width:], casting="same_kind")
    number = _known_lately(known, width, whole=whole)
    mean /= np.maximum(number, np.float32(1))
    mean[np.broadcast_to(number < max(1.0, width * LEAST_SLOW_SHARE), mean.shape)] = np.nan
    return mean


def _known_lately(known: Booleans, width: int, *, whole: bool) -> Floats:
    """How many of the last `width` steps are known: (S, T), or (1, T) where series do not differ in that."""
    count = known.shape[1]
    if whole or bool((known == known[:1]).all()):
        known = known[:1]
    numbers = np.zeros((known.shape[0], count + 1), dtype=np.float32)
    np.cumsum(known, axis=1, out=numbers[:, 1:])
    kept = numbers[:, 1:].copy()
    kept[:, width:] -= numbers[:, 1 : max(count - width + 1, 1)]
    return kept


def extremes(learnt: Floats, timing: Timing) -> Range:
    """Least and most of each segment (S, segments); NaN where nothing was learnt."""
    parts = in_blocks(learnt, timing.refit, timing.before, np.nan)
    lowest, highest = parts.min(axis=2), parts.max(axis=2)  # much faster than fmin, but NaN where anything is missing
    holes = np.nonzero(np.isnan(lowest))
    if holes[0].size:
        lowest[holes] = np.fmin.reduce(parts[holes], axis=1)
        highest[holes] = np.fmax.reduce(parts[holes], axis=1)
    return Range(lowest, highest)


def all_time(learnt: Floats) -> Range:
    """Least and most before each step (S, T)."""
    lowest, highest = np.full(learnt.shape, np.nan, dtype=np.float32), np.full(learnt.shape, np.nan, dtype=np.float32)
    lowest[:, 1:] = np.fmin.accumulate(learnt, axis=1)[:, :-1]
    highest[:, 1:] = np.fmax.accumulate(learnt, axis=1)[:, :-1]
    return Range(lowest, highest)


def recent(learnt: Floats, timing: Timing, anchors: Steps) -> Range:
    """Least and most of the past two weeks before each step, or of the time since a day before a level shift."""
    whole = extremes(learnt, timing)
    width = recent_segments(timing)
    starts = recent_starts(anchors, timing, width)
    series = learnt.shape[0]
    lowest, highest = np.full((2, series, timing.segments), np.nan, dtype=np.float32)
    plain = starts == np.maximum(np.arange(timing.segments) - width, 0)
    for at in range(1, timing.segments):
        begin = max(at - width, 0)
        lowest[:, at] = np.fmin.reduce(whole.lowest[:, begin:at], axis=1)
        highest[:, at] = np.fmax.reduce(whole.highest[:, begin:at], axis=1)
        for row in np.flatnonzero(~plain[:, at]):
            since = slice(int(starts[row, at]), at)
            lowest[row, at] = np.fmin.reduce(whole.lowest[row, since], initial=np.nan)
            highest[row, at] = np.fmax.reduce(whole.highest[row, since], initial=np.nan)
    return _within(learnt, Range(lowest, highest), timing)


def recent_segments(timing: Timing) -> int:
    """Two weeks, in stretches between fits."""
    return max(1, round(RECENT_DAYS * timing.per_day / timing.refit))


def recent_starts(anchors: Steps, timing: Timing, width: int) -> Steps:
    """The segment at which what is recent begins (S, segments), given the shift known at each."""
    days = -(-timing.per_day // timing.refit)
    anchored = (anchors - timing.first + timing.before) // timing.refit - days
    plain = np.maximum(np.arange(timing.segments) - width, 0)
    return np.where(anchors != NEVER, np.maximum(anchored, plain), plain)


def _within(learnt: Floats, base: Range, timing: Timing) -> Range:
    """Ranges at the segments' starts, widened by what came since in the same segment, as one per step."""
    parts = in_blocks(learnt, timing.refit, timing.before, np.nan)
    result = []
    for start, join in ((base.lowest, np.fmin), (base.highest, np.fmax)):
        known = np.concatenate([start[:, :, None], parts[:, :, :-1]], axis=2)
        steps = join.accumulate(known, axis=2).reshape(learnt.shape[0], -1)
        result.append(np.ascontiguousarray(steps[:, timing.before : timing.before + timing.count]))
    return Range(*result)


def stage_of(codes: Codes, weekly: Floats) -> Codes:
    """How much the baselines of a step know: the level only, days, weeks."""
    stage = (codes >= DAILY).astype(np.uint8)
    stage += np.isfinite(weekly) & (codes >= DAILY)
    return stage


def has_baseline(codes: Codes) -> Booleans:
    """Whether anything is expected at all."""
    known: Booleans = codes != NONE
    return known
