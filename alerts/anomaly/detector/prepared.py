"""All of a past at once: baselines, residuals and ranges of every step, each from what came before it.

Shared by `history` (which scores every step) and `live` (which wants what is known at the end).
"""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.bands import Range, floors
from alerts.anomaly.detector.baselines import DAILY, NONE, block_lags, over_lags, spread
from alerts.anomaly.detector.choosing import ERRORS, Choosing, take
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


def prepare(panel: Panel, terms: Terms) -> Prepared:
    """Of a panel's past."""
    timing = Timing.of(panel)
    samples = Samples.of(panel, terms)
    blocks = blocks_of(samples.values, samples.learnt, timing.first, timing.block, holes=samples.holes)
    block_levels = levels(blocks)
    level = spread(block_levels, blocks.before, timing.count, timing.block)
    daily, plain, weekly = seasons(panel, terms, samples, blocks, block_levels, level)
    began = first_samples(samples.values, timing.first)
    errors = [samples.learnt - baseline for baseline in (level, daily, weekly)]
    sums, counts = _by_segment([*errors, samples.learnt - plain], timing)
    choosing = Choosing.empty(samples.values.shape[0])
    choices = _choose(choosing, sums, counts, timing, level, began)
    best_codes, seasonal_codes, shifted, anchors = choices
    expected, expected_code = take(_steps(seasonal_codes, timing), level, daily, weekly)
    best, baseline = take(_steps(best_codes, timing), level, daily, weekly)
    floor = floors(level)
    away = np.abs(samples.values - expected)
    best_residual = samples.learnt - best
    return Prepared(
        samples,
        level,
        expected,
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
        shifted,
        anchors,
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
        plain = over_lags(samples.learnt, lags, 0, holes=samples.holes)
        in_hours = block_lags(lags, blocks.before, blocks.steps)
        level_then = over_lags(block_levels[:, :-1], in_hours, 0, holes=bool(np.isnan(block_levels).any()))
        daily = plain + (level - spread(level_then, blocks.before, count, blocks.steps))
    if terms.weekly:
        weekly = over_lags(samples.learnt, panel.phases.weekly[:count], 0, holes=samples.holes)
    return daily, plain, weekly


def first_samples(values: Floats, first: int) -> Steps:
    """Step of each series' first sample; `NEVER` where there is none."""
    seen = np.isfinite(values)
    return np.where(seen.any(axis=1), seen.argmax(axis=1) + first, NEVER).astype(np.int64)


def _by_segment(errors: list[Floats], timing: Timing) -> tuple[Floats, Floats]:
    """Sums of absolute errors, and how many there are: (S, segments, errors)."""
    series = errors[0].shape[0]
    sums = np.zeros((series, timing.segments, ERRORS), dtype=np.float32)
    counts = np.zeros_like(sums)
    for at, error in enumerate(errors):
        parts = in_blocks(np.abs(error), timing.refit, timing.before, np.nan)
        known = np.isfinite(parts)
        counts[:, :, at] = known.sum(axis=2)
        sums[:, :, at] = np.where(known, parts, 0).sum(axis=2)
    return sums, counts


def _choose(
    choosing: Choosing, sums: Floats, counts: Floats, timing: Timing, level: Floats, began: Steps
) -> tuple[Codes, Codes, Booleans, Steps]:
    series, segments = sums.shape[:2]
    best, seasonal = np.zeros((2, series, segments), dtype=np.uint8)
    shifted = np.zeros((series, segments), dtype=bool)
    anchors = np.full((series, segments), NEVER, dtype=np.int64)
    for number in range(segments):
        at = timing.segment(number).start
        if (timing.first + at) % timing.refit == 0:
            mature = is_mature(began, timing.first + at, timing.per_day)
            shifted[:, number] = choosing.close(timing.first + at, timing.per_day, timing.refit, level[:, at], mature)
        best[:, number], seasonal[:, number] = choosing.chosen(timing.per_day)
        anchors[:, number] = choosing.anchor
        choosing.add(sums[:, number], counts[:, number])
    return best, seasonal, shifted, anchors


def is_mature(began: Steps, index: int, per_day: int) -> Booleans:
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
    np.cumsum(np.where(known, residuals, 0), axis=1, out=sums[:, 1:], dtype=np.float64)
    window = sums[:, 1:].copy()
    window[:, width:] -= sums[:, 1 : max(count - width + 1, 1)]
    if known.all():
        number = np.minimum(np.arange(1, count + 1, dtype=np.float32), np.float32(width))[None, :]
    else:
        numbers = np.zeros((series, count + 1), dtype=np.int32)
        np.cumsum(known, axis=1, out=numbers[:, 1:])
        kept = numbers[:, 1:].copy()
        kept[:, width:] -= numbers[:, 1 : max(count - width + 1, 1)]
        number = kept.astype(np.float32)
    least = max(1.0, width * LEAST_SLOW_SHARE)
    return np.where(number >= least, window / np.maximum(number, 1), np.nan).astype(np.float32)


def extremes(learnt: Floats, timing: Timing) -> Range:
    """Least and most of each segment (S, segments); NaN where nothing was learnt."""
    parts = in_blocks(learnt, timing.refit, timing.before, np.nan)
    return Range(np.fmin.reduce(parts, axis=2), np.fmax.reduce(parts, axis=2))


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


def seasonal_stage(codes: Codes) -> Booleans:
    """Whether what is expected knows the time of day."""
    known: Booleans = codes >= DAILY
    return known


def has_baseline(codes: Codes) -> Booleans:
    """Whether anything is expected at all."""
    known: Booleans = codes != NONE
    return known
