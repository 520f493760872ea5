"""The effect of a deployment, with an interval: what came after it against what would have come without it.

What would have come is not known. It is predicted from the time before the deployment, and how far such predictions
go wrong is measured on the service's own past: the same two windows are laid over every hour of the last days, in
which nothing was deployed, and the prediction is compared with what came. The distance that `confidence` of them keep
is the interval (conformal inference: Chernozhukov, Wüthrich and Zhu, JASA 116, 2021; a placebo test in time). It
needs no model of the noise: bursts, what one slot has to do with the next, rhythms of the day and incidents of other
causes are in the past as they will be in the future. docs/explanation/deployment-effects.md has measured coverage.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exporters.dora.effects.slots import Floats, Slots, Sums, Window
from exporters.dora.effects.small_counts import FEW, predicted_counts
from exporters.dora.effects.student import normal, student

STEP: Final = timedelta(hours=1)  # from one look at the past to the next
LEAST_COVERED: Final = 0.5  # of the slots of a window
_DAY: Final = 24  # steps
_LEAST_DAYS: Final = 3  # of the same hour, before what is usual at that hour is taken off
_NEAR: Final = 1  # steps: what is about the same hour
_MOST_OF: Final = 0.75
_LEAST_PASTS: Final = 8  # with fewer the two windows themselves must tell how much they vary
_HIGHEST_LINK: Final = 0.8  # of one slot to the next: with a dozen slots more cannot be told from a trend


class Scale(Enum):
    """How two ratios are compared."""

    DIFFERENCE = "difference"  # shares of bad events: after − before
    QUOTIENT = "quotient"  # costs of a unit: after ÷ before


class Method(Enum):
    """Where the interval comes from."""

    PAST = "past"  # from predictions of this kind on the last days
    PAST_SAME_HOUR = "past_same_hour"  # the same, with the usual change at that hour taken off
    FEW_PASTS = "few_pasts"  # from fewer such predictions, by Student's distribution
    SLOTS = "slots"  # from the slots before: there is no past


@dataclass(frozen=True, slots=True)
class Estimate:
    """Ratios: part ÷ whole before, after, and what the latter would have been without the deployment.

    `low` … `high` hold that in `confidence` of all cases. `part` and `whole` are those of the window after.
    `pasts` is how many stretches of the past the interval rests on.
    """

    before: float
    after: float
    expected: float
    low: float
    high: float
    part: float
    whole: float
    method: Method
    pasts: int


@dataclass(frozen=True, slots=True)
class Question:
    """Two windows around a deployment at `at`; `others` are deployments of the same service, before and after it."""

    at: datetime
    before: Window
    after: Window
    others: Sequence[datetime] = ()
    scale: Scale = Scale.DIFFERENCE
    confidence: float = 0.95


class TooLittle(Exception):
    """There is not enough data; the message says of what."""


def history(window: timedelta) -> timedelta:
    """How much past is asked for: 80 pairs of windows, but a week at least and four at most."""
    return min(max(80 * 2 * window, timedelta(days=7)), timedelta(days=28))


def estimate(slots: Slots, question: Question) -> Estimate:
    """Raises `TooLittle` when less than half of the slots of a window are there, or nothing happened in one."""
    before, after = _sums(slots, question)
    _check(question, before, after)
    ratio_before, ratio_after = _one(before.part / before.whole), _one(after.part / after.whole)
    past = _past(slots, question)
    prediction = past or _within(slots, question)
    low, expected, high = _interval(ratio_before, prediction, question, before, after)
    return Estimate(
        ratio_before,
        ratio_after,
        expected,
        low,
        high,
        _one(after.part),
        _one(after.whole),
        prediction.method,
        prediction.pasts,
    )


@dataclass(frozen=True, slots=True)
class _Prediction:
    """What is usually added to the ratio before (or to its logarithm), and how far off that may be."""

    shift: float
    reach: float
    method: Method
    pasts: int = 0


def _sums(slots: Slots, question: Question) -> tuple[Sums, Sums]:
    now = np.zeros(1)
    return slots.within(question.before, now), slots.within(question.after, now)


def _check(question: Question, before: Sums, after: Sums) -> None:
    for sums, window, name in ((before, question.before, "before"), (after, question.after, "after")):
        if _one(sums.slots) < LEAST_COVERED * window.expected:
            raise TooLittle(f"{_one(sums.slots):.0f} of {window.expected} slots {name} it have data")
        if _one(sums.whole) <= 0:
            raise TooLittle(f"no traffic {name} it")
        if question.scale is Scale.QUOTIENT and _one(sums.part) <= 0:
            raise TooLittle(f"no cost {name} it")


def _past(slots: Slots, question: Question) -> _Prediction | None:
    """From the past; None when there is too little of it."""
    shifts = _shifts(slots, question)
    if not len(shifts):
        return None
    before, after = slots.within(question.before, shifts), slots.within(question.after, shifts)
    good = _usable(question, before, after)
    quiet = good & _quiet(question, shifts)
    wanted = _rank_needs(question.confidence)
    good = quiet if quiet.sum() >= wanted or good.sum() < wanted else good
    if good.sum() < _LEAST_PASTS:
        return None
    steps = (shifts[good] / STEP.total_seconds()).astype(int)
    return _Past(_chosen(before, good), _chosen(after, good), steps).prediction(slots, question)


def _shifts(slots: Slots, question: Question) -> Floats:
    """By how many seconds the windows are moved back: whole steps, until they no longer touch the deployment."""
    if slots.first is None:
        return np.zeros(0)
    first = math.ceil((question.after.end - question.at) / STEP)
    last = int((question.before.start - slots.first) / STEP)
    return np.arange(first, last + 1, dtype=np.float64) * STEP.total_seconds()


def _usable(question: Question, before: Sums, after: Sums) -> NDArray[np.bool_]:
    good = (before.slots >= LEAST_COVERED * question.before.expected) & (before.whole > 0)
    good &= (after.slots >= LEAST_COVERED * question.after.expected) & (after.whole > 0)
    if question.scale is Scale.QUOTIENT:
        good &= (before.part > 0) & (after.part > 0)
    return good


def _quiet(question: Question, shifts: Floats) -> NDArray[np.bool_]:
    """Where none of the other deployments falls into the windows."""
    others = np.sort(np.array([each.timestamp() for each in question.others], dtype=np.float64))
    starts = question.before.start.timestamp() - shifts
    ends = question.after.end.timestamp() - shifts
    return np.asarray(np.searchsorted(others, starts) == np.searchsorted(others, ends))


def _chosen(sums: Sums, which: NDArray[np.bool_]) -> Sums:
    return Sums(sums.part[which], sums.whole[which], sums.slots[which])


@dataclass(frozen=True, slots=True)
class _Past:
    """The two windows at many moments of the past, `steps` hours ago."""

    before: Sums
    after: Sums
    steps: NDArray[np.int_]

    def prediction(self, slots: Slots, question: Question) -> _Prediction:
        """That way of the two which was nearer to what came, on these moments."""
        changes, spread = self._changes(question.scale), self._spread(question.scale, self.before, self.after)
        hours = self.steps % _DAY
        near = (hours <= _NEAR) | (hours >= _DAY - _NEAR)
        plain = _Prediction(0.0, _reach(np.abs(changes) / spread, near, question.confidence), Method.PAST, len(changes))
        same_hour = self._same_hour(changes, spread, near, question.confidence)
        best = same_hour if same_hour and same_hour.reach < plain.reach else plain
        if len(changes) < _rank_needs(question.confidence):
            best = _Prediction(best.shift, best.reach, Method.FEW_PASTS, best.pasts)
        own = self._spread(question.scale, *_sums(slots, question))
        return _Prediction(best.shift, best.reach * _one(own), best.method, best.pasts)

    def _changes(self, scale: Scale) -> Floats:
        before, after = self.before.part / self.before.whole, self.after.part / self.after.whole
        return np.log(after / before) if scale is Scale.QUOTIENT else after - before

    def _spread(self, scale: Scale, before: Sums, after: Sums) -> Floats:
        """What a change is measured in: the deviation that chance alone gives, so that busy and quiet hours compare."""
        if scale is Scale.QUOTIENT:
            return np.ones(len(before.part))
        parts, wholes = float(self.before.part.sum()), float(self.before.whole.sum())
        usual = (parts + 0.5) / (wholes + 1)
        ratio = np.clip(np.maximum(before.part / before.whole, usual), 0, 0.5)
        return np.asarray(np.sqrt(ratio * (1 - ratio) * (1 / before.whole + 1 / after.whole)))

    def _same_hour(
        self, changes: Floats, spread: Floats, near: NDArray[np.bool_], confidence: float
    ) -> _Prediction | None:  # fmt: skip
        """With what is usual at that hour taken off: the median of the other days at the same hour."""
        hours, days = self.steps % _DAY, self.steps // _DAY
        table = np.full((int(days.max()) + 1, _DAY), np.nan)
        table[days, hours] = changes
        usual = table[:, 0][~np.isnan(table[:, 0])]
        if len(usual) < _LEAST_DAYS:
            return None
        others = _medians_without(table)[days, hours]
        known = ~np.isnan(others)
        if known.sum() < _rank_needs(confidence):
            return None
        misses = np.abs(changes - others)[known] / spread[known]
        reach = _reach(misses, near[known], confidence)
        return _Prediction(float(np.median(usual)), reach, Method.PAST_SAME_HOUR, int(known.sum()))


def _medians_without(table: Floats) -> Floats:
    """Of each entry the median of the others in its column; NaN are no entries, nor is what has fewer than two."""
    order = np.argsort(table, axis=0)  # NaN come last
    ranks, ordered = np.argsort(order, axis=0), np.take_along_axis(table, order, axis=0)
    others = (~np.isnan(table)).sum(axis=0) - 1
    middles = []
    for middle in ((others - 1) // 2, others // 2):
        place = np.broadcast_to(np.maximum(middle, 0), table.shape)
        place = np.minimum(place + (place >= ranks), len(table) - 1)
        middles.append(np.take_along_axis(ordered, place, axis=0))
    return np.where(others >= _LEAST_DAYS - 1, (middles[0] + middles[1]) / 2, np.nan)


def _rank_needs(confidence: float) -> int:
    """How many past values it takes until one of them is the bound."""
    return math.ceil(1 / (1 - confidence) - 1 - 1e-9)


def _reach(misses: Floats, near: NDArray[np.bool_], confidence: float) -> float:
    """The distance that `confidence` of all misses keep, the next one included; more where `near` ones are larger.

    Those at about the same hour are too few for a bound of their own, but three quarters of them tell whether it is an
    hour at which more goes wrong than at others.
    """
    number = len(misses)
    if number < _rank_needs(confidence):
        deviation = math.sqrt(float(np.mean(misses**2)))
        return deviation * student(confidence, number) * math.sqrt(1 + 1 / number)
    rank = math.ceil((number + 1) * confidence - 1e-9)
    reach = float(np.partition(misses, rank - 1)[rank - 1])
    if near.sum() < _LEAST_PASTS:
        return reach
    usual, here = float(np.quantile(misses, _MOST_OF)), float(np.quantile(misses[near], _MOST_OF))
    return reach * max(1.0, here / usual) if usual > 0 else max(reach, here)


def _within(slots: Slots, question: Question) -> _Prediction:
    """Without a past: how far the slots before lie from their common ratio, and how much one tells of the next.

    The deviation of a ratio of sums (Cochran, Sampling Techniques, 6.3), widened by (1 + r) / (1 − r) for slots of
    which each resembles the one before (first-order autoregression); as many degrees of freedom as slots that leaves.
    """
    part, whole = slots.cut(question.before)
    slots_after = _one(slots.within(question.after, np.zeros(1)).slots)
    number, mean, ratio = len(part), float(whole.mean()), float(part.sum() / whole.sum())
    rest = part - ratio * whole
    square = float((rest**2).sum())
    link = float((rest[1:] * rest[:-1]).sum()) / square if square > 0 else 0.0
    link = min(max(link + (1 + 3 * link) / number, 0.0), _HIGHEST_LINK)
    widening = (1 + link) / (1 - link)
    deviation = math.sqrt(square / max(number - 1, 1) * widening * (1 / number + 1 / slots_after)) / mean
    reach = deviation * student(question.confidence, max((number - 1) / widening, 1))
    return _Prediction(0.0, reach / ratio if question.scale is Scale.QUOTIENT else reach, Method.SLOTS)


def _interval(
    ratio: float, prediction: _Prediction, question: Question, before: Sums, after: Sums
) -> tuple[float, float, float]:
    """The lower end, the expected ratio, the upper end."""
    if question.scale is Scale.QUOTIENT:
        expected = ratio * math.exp(prediction.shift)
        return expected * math.exp(-prediction.reach), expected, expected * math.exp(prediction.reach)
    expected = min(max(ratio + prediction.shift, 0.0), 1.0)
    traffic_before, traffic_after = _one(before.whole), _one(after.whole)
    chance = normal(question.confidence) * math.sqrt(
        expected * (1 - expected) * (1 / traffic_before + 1 / traffic_after)
    )
    reach = max(prediction.reach, chance)
    low, high = expected - reach, expected + reach
    if expected * traffic_after < FEW:
        seen = expected * traffic_before
        fewest, most = predicted_counts(seen, traffic_after / traffic_before, question.confidence)
        low, high = min(low, fewest / traffic_after), max(high, most / traffic_after)
    return max(low, 0.0), expected, min(high, 1.0)


def _one(values: Floats) -> float:
    return float(values[0])
