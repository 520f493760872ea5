"""From the channels' rarities to scores, bounds and codes: the same for a past and for one step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.bands import counts
from alerts.anomaly.detector.baselines import DAILY
from alerts.anomaly.detector.model import Booleans, Codes, Floats, Scores, Steps, Terms
from alerts.anomaly.detector.settings import (
    SLOW_ABOVE_SEASONAL,
    SUSTAINED_THRESHOLDS,
    THRESHOLDS,
    WEEKLY_DAYS,
)
from alerts.anomaly.detector.values import original
from alerts.anomaly.model import Maturity

_ONE = np.float32(1)
_ABOVE_ONE = np.nextafter(_ONE, np.float32(2))
_NAN = np.float32(np.nan)


@dataclass(frozen=True, slots=True)
class Step:
    """Steps as they are judged, on the scale on which they are scored: (S, n) each."""

    values: Floats
    expected: Floats
    mean: Floats  # of the best baseline's residual, over 3 hours
    seasonal: Floats
    steps: Floats  # the seasonal channel's rarity among all steps
    slow: Floats
    range_all: Floats
    range_recent: Floats
    above: Floats  # the band's width above what is expected
    below: Floats
    able: Booleans  # there is enough of a past to score by


def maturity(expected: Codes, age: Steps, began: Booleans, able: Booleans, per_day: int, terms: Terms) -> Codes:
    """How much past there is: COLD where nothing can be scored, LEVEL without a day to compare with."""
    grown = np.where(age >= WEEKLY_DAYS * per_day, Maturity.WEEKLY, Maturity.DAILY)
    seasonal = (expected >= DAILY) | (age >= per_day if not (terms.daily or terms.weekly) else False)
    return np.where(began & able, np.where(seasonal, grown, Maturity.LEVEL), Maturity.COLD).astype(np.uint8)


def judged(
    step: Step, terms: Terms, *, baseline: Codes, maturity: Codes, shifted: Booleans, coverage: Floats
) -> Scores:
    """Scores of steps whose channels are known."""
    seen = step.able & np.isfinite(step.values)
    ranges = step.range_all + step.range_recent
    point = (step.seasonal + ranges) / np.float32(3)
    slow = np.minimum(step.slow, step.steps + np.float32(SLOW_ABOVE_SEASONAL))
    sustained: Floats = ((step.steps + slow + ranges) / np.float32(4)).astype(np.float32)
    kind = terms.values
    values, expected = original(step.values, kind), original(step.expected, kind)
    least = np.maximum(np.float32(terms.least_absolute), np.float32(terms.least_relative) * np.abs(expected))
    upper = np.maximum(original(step.expected + step.above, kind), expected + least)
    lower = np.minimum(original(step.expected - step.below, kind), expected - least)
    rare = point > THRESHOLDS[terms.sensitivity]
    score, lower, upper = _score(values, expected, (lower, upper), least, rare, terms)
    going_on: Floats = sustained / np.float32(SUSTAINED_THRESHOLDS[terms.sensitivity])
    mean = original(step.expected + step.mean, kind) - expected
    further = np.where(np.abs(np.nan_to_num(mean)) > np.abs(values - expected), mean, values - expected)
    going_on = np.where(np.abs(further) > least, going_on, np.minimum(going_on, _ONE))
    going_on = np.where(counts(further, terms.direction), going_on, np.float32(0)).astype(np.float32)

    def only(keep: Booleans, array: NDArray[np.floating]) -> Floats:
        return np.where(keep, array, _NAN).astype(np.float32)

    return Scores(
        value=only(np.isfinite(step.values), values),
        point=only(seen, point),
        sustained=only(seen, sustained),
        score=only(seen, score),
        sustained_score=only(seen, going_on),
        expected=only(step.able, expected),
        lower=only(step.able, lower),
        upper=only(step.able, upper),
        seasonal=only(seen, step.seasonal),
        slow=only(seen, step.slow),
        range_all=only(seen, step.range_all),
        range_recent=only(seen, step.range_recent),
        baseline=np.where(step.able, baseline, 0).astype(np.uint8),
        maturity=maturity,
        shifted=shifted,
        coverage=coverage.astype(np.float32),
    )


def _score(
    values: Floats, expected: Floats, bounds: tuple[Floats, Floats], least: Floats, rare: Booleans, terms: Terms
) -> tuple[Floats, Floats, Floats]:
    """Distance ÷ half-width, and the bounds: above 1 exactly where it is rare, outside, and in a direction that counts.

    The band is solved numerically, to a per cent or so: at its edge the rarity itself decides, and the edge moves to
    this or that side of the value. A value in a direction that does not count lies on the band's edge, not outside.
    """
    lower, upper = bounds
    away = values - expected
    counted = counts(away, terms.direction)
    anomalous = rare & (np.abs(away) > least) & counted
    within = np.nextafter(values, expected)
    lower = np.where(anomalous & (away < 0), np.fmax(lower, within), np.where(anomalous, lower, np.fmin(lower, values)))
    upper = np.where(anomalous & (away > 0), np.fmin(upper, within), np.where(anomalous, upper, np.fmax(upper, values)))
    half = np.where(away >= 0, upper - expected, expected - lower)
    score = np.abs(away) / np.maximum(half, np.float32(1e-37))
    score = np.where(anomalous, np.maximum(score, _ABOVE_ONE), np.where(counted, np.minimum(score, _ONE), 0))
    return score.astype(np.float32), lower, upper
