"""Scores of a whole past, each from what came before it."""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.bands import Range, half_widths, novelty
from alerts.anomaly.detector.baselines import spread
from alerts.anomaly.detector.learnt import Learnt, begins_day
from alerts.anomaly.detector.levels import enough
from alerts.anomaly.detector.model import NEVER, Booleans, Floats, Panel, Scores, Terms
from alerts.anomaly.detector.prepared import (
    Prepared,
    Timing,
    all_time,
    has_baseline,
    prepare,
    recent,
)
from alerts.anomaly.detector.scoring import Step, judged, maturity
from alerts.anomaly.detector.settings import LEAST_COVERAGE, THRESHOLDS

SERIES_AT_ONCE = 64


def score_history(panel: Panel, terms: Terms) -> Scores:
    """Score every step by what came before it, as the daemon would have: scores of a prefix are the prefix of these.

    Shapes (S, T). A step without a sample, and one with less than half of the usual day's samples, has no score (NaN).
    """
    parts = []
    for start in range(0, max(panel.values.shape[0], 1), SERIES_AT_ONCE):
        rows = slice(start, start + SERIES_AT_ONCE)
        fitted = panel.fitted if panel.fitted is None or panel.fitted.shape[0] == 1 else panel.fitted[rows]
        parts.append(_score(Panel(panel.values[rows], panel.grid, panel.phases, fitted), terms))
    names = Scores.__slots__
    return Scores(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _score(panel: Panel, terms: Terms) -> Scores:
    timing = Timing.of(panel)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        past = prepare(panel, terms)
        learnt = past.samples.learnt
        ranges = (all_time(learnt), recent(learnt, timing, past.anchors))
        around = (ranges[0].around(past.expected), ranges[1].around(past.expected))
        rarities = _rarities(past, timing, terms, around)
        share, usual = (
            spread(part, past.blocks.before, timing.count, timing.block)
            for part in (past.coverage.share, past.coverage.usual)
        )
        able = enough(share, usual, LEAST_COVERAGE) & has_baseline(past.expected_code) & rarities.known
        step = Step(
            values=past.samples.values,
            expected=past.expected,
            mean=past.mean,
            seasonal=rarities.seasonal,
            steps=rarities.steps,
            slow=rarities.slow,
            range_all=novelty(past.samples.values, around[0], past.floor),
            range_recent=novelty(past.samples.values, around[1], past.floor),
            above=rarities.above,
            below=rarities.below,
            able=able,
        )
        shifted = np.zeros(learnt.shape, dtype=bool)
        for number in range(timing.segments):
            shifted[:, timing.segment(number).start] |= past.shifted[:, number]
        age = timing.first + np.arange(timing.count) - past.began[:, None]
        return judged(
            step,
            terms,
            baseline=past.baseline,
            maturity=maturity(past.expected_code, age, past.began[:, None] != NEVER, able, timing.per_day, terms),
            shifted=shifted,
            coverage=share,
        )


@dataclass(frozen=True, slots=True)
class _Rarities:
    seasonal: Floats
    steps: Floats
    slow: Floats
    above: Floats
    below: Floats
    known: Booleans


def _rarities(past: Prepared, timing: Timing, terms: Terms, around: tuple[Range, Range]) -> _Rarities:
    """Of every step, by tails that are fitted anew every 50 steps."""
    shape = past.samples.values.shape
    none = np.zeros(shape, dtype=np.float32)
    found = _Rarities(none, none.copy(), none.copy(), none.copy(), none.copy(), np.zeros(shape, dtype=bool))
    state = Learnt.empty(shape[0], timing.per_day)
    counted = np.isfinite(past.samples.learnt)
    threshold = THRESHOLDS[terms.sensitivity]
    slow = np.abs(past.mean)
    for number in range(timing.segments):
        at = timing.segment(number)
        if begins_day(timing.first + at.start, timing.refit, timing.per_day):
            state.new_day()
        tails = state.fitted()
        limit = tails.seasonal.residual(3 * threshold)
        found.seasonal[:, at] = tails.seasonal.rarity(past.residual[:, at])
        found.steps[:, at] = tails.steps.rarity(past.residual[:, at])
        found.slow[:, at] = tails.slow.rarity(slow[:, at])
        found.known[:, at] = tails.seasonal.known[:, None]
        ranges = tuple(Range(known.lowest[:, at], known.highest[:, at]) for known in around)
        found.above[:, at], found.below[:, at] = half_widths(
            tails.seasonal, limit, past.expected[:, at], (ranges[0], ranges[1]), past.floor[:, at], threshold
        )
        state.add(past.residual[:, at], slow[:, at], past.stage[:, at], counted[:, at])
    return found
