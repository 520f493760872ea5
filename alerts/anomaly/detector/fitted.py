"""A model of many series that scores one step after another."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.bands import Range, floors, half_widths, novelty
from alerts.anomaly.detector.carried import Carried
from alerts.anomaly.detector.choosing import all_errors, take
from alerts.anomaly.detector.levels import enough
from alerts.anomaly.detector.model import NEVER, Booleans, Codes, Floats, Terms
from alerts.anomaly.detector.packing import packed
from alerts.anomaly.detector.parts import Parts, close
from alerts.anomaly.detector.prepared import has_baseline, stage_of
from alerts.anomaly.detector.scoring import Step, judged, maturity
from alerts.anomaly.detector.settings import LEAST_COVERAGE, LEAST_SLOW_SHARE, THRESHOLDS
from alerts.anomaly.detector.values import MOST_STEPS_OF_RATE, clean, scored
from alerts.anomaly.model import Values


@dataclass(frozen=True, slots=True)
class StepScores:
    """One step of `alerts.anomaly.detector.model.Scores`: all of shape (S,)."""

    value: Floats
    point: Floats
    sustained: Floats
    score: Floats
    sustained_score: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    seasonal: Floats
    slow: Floats
    range_all: Floats
    range_recent: Floats
    baseline: Codes
    maturity: Codes
    shifted: Booleans
    coverage: Floats


@dataclass(slots=True)
class FittedModel:
    """S series, fitted up to a step. `score` steps forward; not for two threads at once."""

    _parts: Parts = field(repr=False)
    _terms: Terms = field(repr=False)
    _limit: Floats = field(init=False, repr=False)  # (S,) the residual that alone is rare enough

    _number: NDArray[np.int64] | None = field(
        init=False, repr=False, default=None
    )  # of the last three hours' residuals
    _sum: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._limit = self._parts.tails.seasonal.residual(3 * THRESHOLDS[self._terms.sensitivity])

    @property
    def series(self) -> int:
        """How many series it has."""
        return self._parts.carried.series

    @property
    def next_index(self) -> int:
        """The step that comes next, counted like `Grid.first`."""
        return self._parts.carried.until

    @property
    def good_until(self) -> int:
        """The first step that cannot be scored without a new fit."""
        return self._parts.start + self._parts.ahead

    @property
    def terms(self) -> Terms:
        """By which it scores."""
        return self._terms

    @property
    def parts(self) -> Parts:
        """All that it is; for `packing`."""
        return self._parts

    def score(self, values: Floats, index: int, fitted: Booleans | None = None) -> StepScores:
        """Score step `index` of all series (S,); NaN: no sample. Steps that are left out count as missing.

        `fitted` (S,): False where the step is not to be learnt from. Raises `ValueError` for a step before
        `next_index`, or not before `good_until`.
        """
        if not self.next_index <= index < self.good_until:
            raise ValueError(f"step {index} is not in {self.next_index} … {self.good_until - 1}")
        nothing = np.full(self.series, np.nan, dtype=np.float32)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            while self.next_index < index:
                self._step(nothing, None)
            return self._step(values, fitted)

    def carried(self) -> Carried:
        """To be given to the next fit, which takes it up: this model is then not to be asked any more."""
        return self._parts.carried

    def pack(self) -> bytes:
        """Bytes for the store; `unpack` gives the same model, to the bit."""
        return packed(self._parts, self._terms)

    def _step(self, values: Floats, fitted: Booleans | None) -> StepScores:
        parts, carried, ahead = self._parts, self._parts.carried, self._parts.outlook
        index = carried.until
        samples = self._sampled(np.asarray(values), index)
        learnt = samples if fitted is None else np.where(fitted, samples, np.float32(np.nan))
        shifted = self._turn(index)
        now = index - parts.start
        level = ahead.level
        daily = ahead.plain[now] + (level - ahead.level_then[now])
        weekly = ahead.weekly[now]
        expected, code = take(parts.seasonal, level, daily, weekly)
        best, baseline = take(parts.best, level, daily, weekly)
        floor = floors(level)
        away = np.abs(samples - expected)
        residual = np.where(away < floor, np.float32(0), away)
        mean = self._mean(learnt - best, index)
        slow = np.abs(mean)
        ranges = (
            Range(carried.lowest, carried.highest).around(expected),
            Range(ahead.recent_lowest, ahead.recent_highest).around(expected),
        )
        columns = (_column(ranges[0]), _column(ranges[1]))
        above, below = half_widths(
            parts.tails.seasonal,
            self._limit,
            expected[:, None],
            columns,
            floor[:, None],
            THRESHOLDS[self._terms.sensitivity],
        )
        able = enough(ahead.share, ahead.usual, LEAST_COVERAGE) & has_baseline(code) & parts.tails.seasonal.known
        step = Step(
            values=samples,
            expected=expected,
            mean=mean,
            seasonal=parts.tails.seasonal.rarity(residual[:, None])[:, 0],
            steps=parts.tails.steps.rarity(residual[:, None])[:, 0],
            slow=parts.tails.slow.rarity(slow[:, None])[:, 0],
            range_all=novelty(samples, ranges[0], floor),
            range_recent=novelty(samples, ranges[1], floor),
            above=above[:, 0],
            below=below[:, 0],
            able=able,
        )
        carried.began = np.where((carried.began == NEVER) & np.isfinite(samples), index, carried.began)
        age = index - carried.began
        found = judged(
            step,
            self._terms,
            baseline=baseline,
            maturity=maturity(code, age, carried.began != NEVER, able, carried.per_day, self._terms),
            shifted=shifted,
            coverage=ahead.share,
        )
        self._learn(index, samples, learnt, (level, daily, weekly), residual, slow, code)
        return StepScores(*(getattr(found, each.name) for each in fields(StepScores)))

    def _sampled(self, values: Floats, index: int) -> Floats:
        if self._terms.values is not Values.COUNTER:
            return scored(clean(values), self._terms.values)
        carried = self._parts.carried
        exact = np.asarray(values, dtype=np.float64)
        apart = np.maximum(index - carried.counter_at, 1)
        increase = np.where(exact >= carried.counter, exact - carried.counter, exact)
        good = np.isfinite(carried.counter) & (apart <= MOST_STEPS_OF_RATE) & (exact >= 0) & np.isfinite(exact)
        there = np.isfinite(exact)
        carried.counter = np.where(there, exact, carried.counter)
        carried.counter_at = np.where(there, index, carried.counter_at)
        return np.where(good, increase / (apart * self._parts.step_seconds), np.nan).astype(np.float32)

    def _turn(self, index: int) -> Booleans:
        """What changes at the hour, and every 50 steps: level and coverage; errors, choice and level shifts."""
        parts, carried = self._parts, self._parts.carried
        if index // parts.block != parts.hour:
            parts.blocks += 1
            parts.hour = index // parts.block
            parts.outlook.roll(carried.began, index, parts.block, parts.blocks)
        close(carried, index, parts.refit, parts.outlook.level)
        if index % parts.refit == 0:
            parts.best, parts.seasonal = carried.choosing.chosen(carried.per_day)
        shifted = carried.pending
        carried.pending = np.zeros_like(shifted)
        return shifted

    def _mean(self, residual: Floats, index: int) -> Floats:
        """Of the last three hours: the sum is kept, and made anew each hour so that roundings do not add up."""
        ring = self._parts.carried.residuals
        row = ring[index % ring.shape[0]]
        if self._number is None or index % self._parts.block == 0:
            row[...] = residual
            known = np.isfinite(ring)
            self._number = known.sum(axis=0)
            self._sum = np.where(known, ring, 0).sum(axis=0, dtype=np.float64)
        else:
            for values, way in ((row, -1), (residual, 1)):
                known = np.isfinite(values)
                self._number += way * known
                self._sum += way * np.where(known, values, 0).astype(np.float64)
            row[...] = residual
        number = self._number
        mean = self._sum / np.maximum(number, 1)
        least = max(1.0, ring.shape[0] * LEAST_SLOW_SHARE)
        return np.where(number >= least, mean, np.nan).astype(np.float32)

    def _learn(
        self,
        index: int,
        samples: Floats,
        learnt: Floats,
        baselines: tuple[Floats, Floats, Floats],
        residual: Floats,
        slow: Floats,
        code: Codes,
    ) -> None:
        parts, carried, ahead = self._parts, self._parts.carried, self._parts.outlook
        there = np.isfinite(learnt)
        carried.lowest, carried.highest = np.fmin(carried.lowest, learnt), np.fmax(carried.highest, learnt)
        ahead.recent_lowest = np.fmin(ahead.recent_lowest, learnt)
        ahead.recent_highest = np.fmax(ahead.recent_highest, learnt)
        carried.learnt.add_step(residual, slow, stage_of(code, baselines[2]), there)
        plain = ahead.plain[index - parts.start]
        off = all_errors(*(np.abs(learnt - each) for each in (*baselines, plain)))
        errors = np.stack(off, axis=1)
        known = np.isfinite(errors)
        carried.choosing.add(np.where(known, errors, np.float32(0)), known.astype(np.float32))
        ahead.current[index % parts.block] = learnt
        ahead.current_seen += np.isfinite(samples)
        carried.until = index + 1


def _column(known: Range) -> Range:
    return Range(known.lowest[:, None], known.highest[:, None])
