"""The one frozen configuration: for NAB, for services and for money alike; nothing here is tuned to a series.

Sources: the measured design this detector was built from (ANOMALY.md), unless said otherwise; each is measured again
in docs/explanation/anomaly-detector.md.
"""

import math
from datetime import timedelta
from typing import Final

from alerts.anomaly.model import Sensitivity

MODEL_VERSION: Final = 7
"""Of a packed model. Another one does not fit: it is rebuilt."""

THRESHOLDS: Final = {Sensitivity.LOW: 1.45, Sensitivity.MEDIUM: 1.29, Sensitivity.HIGH: 1.0}
"""Mean rarity (−log10 p) of `point` above which a step is anomalous."""

SUSTAINED_THRESHOLDS: Final = {Sensitivity.LOW: 1.45, Sensitivity.MEDIUM: 1.29, Sensitivity.HIGH: 1.0}
"""The same of `sustained`."""

REFIT_STEPS: Final = 50
HISTORY: Final = timedelta(days=28)
LEAST_HISTORY_STEPS: Final = 1_000

BLOCKS_A_DAY: Final = 24
"""The level is the median of so many blocks' medians: an hour each. Measured against the exact median of the day."""

LEAST_LEVEL_STEPS: Final = 5
LEAST_COVERAGE: Final = 0.5
"""Of the samples that a day usually has."""
USUAL_DAYS: Final = 7
"""The day with the most samples among so many is the usual one."""
HELD_DAYS: Final = 7
"""How long a level stands when there is nothing to learn from."""

CHOICE_DAYS: Final = 1.0
"""Mean age of the errors by which a baseline is chosen: that of a mean over 2 days."""
SEASON_CHOICE_DAYS: Final = 7.0
"""The same of the choice between daily and weekly: with a shorter memory, every weekend would be a surprise. Ours."""
LEAST_CHOICE_SHARE: Final = 0.5
"""Of a day: the errors (weighed by age) a baseline must have before it is chosen over the daily one."""

SLOW_SHARE: Final = 1 / 8
"""Of a day: 3 hours, over which the residual's mean is the slow channel."""
LEAST_SLOW_SHARE: Final = 0.25
SLOW_ABOVE_SEASONAL: Final = 1.0
"""The slow channel speaks only where the seasonal one does nearly as loudly."""

TAIL_SHARE: Final = 0.02
"""Above the 98 % quantile the tail is Pareto (Hill's estimator) or exponential; below it the rank counts."""
LEAST_TAIL: Final = 5.0
UNSEEN_SHAPE: Final = 0.5
"""Of a tail of which nothing was seen."""
LEAST_SHAPE: Final = 0.05
LEAST_LEARNT: Final = 20.0
SEASONAL_SHARE: Final = 0.5
"""Of a day: once so many residuals of the daily baseline are known, those of the bare level are not asked any more."""
CLUSTER_GAP: Final = 2
"""Steps that may lie between residuals of one cluster. Ours, measured by `benchmarks.anomaly_kpis`."""
RIPE_DAYS: Final = 7
"""Once so many days of residuals are known since there has been a week to compare with, older ones are not asked: they
are those of a baseline that did not know weekends. Ours."""
MEMORY_DAYS: Final = 120
"""Counts are halved when they hold more than this: a noise of last year is not today's."""

BINS: Final = 192
BINS_AN_OCTAVE: Final = 8
"""Residuals are counted in bins of 9 %; 24 octaves below the largest, which is float32's own precision."""
FLOOR: Final = 1e-5
"""Of the level: a smaller deviation is none. A hundred times float32's rounding."""
LARGEST: Final = 1e37
"""Samples beyond are taken as this, so that no difference overflows float32."""

SOFT_CAP: Final = 4.0
SLOPE_BEYOND_CAP: Final = 0.1
NOVELTY_SCALE: Final = 0.2
RECENT_DAYS: Final = 14
WEEKLY_DAYS: Final = 14
"""After so much history a series is mature."""

SHIFT_RATIO: Final = 2.0
"""The plain baseline's error over the level-adjusted one's, for a day, that makes a level shift. Ours."""

REFRACTORY_SHARE: Final = 0.5
"""Of a day: how long a louder alarm silences quieter ones where there is no hysteresis, as on NAB."""


def steps_a_day(step: timedelta) -> int:
    """Steps in 24 hours; 1 if a step is a day or longer."""
    return max(1, round(timedelta(days=1) / step))


def block_steps(step: timedelta) -> int:
    """Steps of the block on which the level is refreshed: an hour, or one step if that is longer."""
    return max(1, steps_a_day(step) // BLOCKS_A_DAY)


def refit_steps(step: timedelta) -> int:
    """After how many steps a model is fitted anew: about 50, in whole blocks, and at most half a day."""
    block = block_steps(step)
    most = max(1, steps_a_day(step) // 2 // block) * block
    return min(most, block * max(1, round(REFIT_STEPS / block)))


def slow_steps(step: timedelta) -> int:
    """Steps that the slow channel's mean is taken over."""
    return max(3, round(steps_a_day(step) * SLOW_SHARE))


def history_steps(step: timedelta) -> int:
    """How many past steps a model is fitted on, hence what a ring buffer should hold: 28 days, at least 1,000 steps."""
    return max(LEAST_HISTORY_STEPS, math.ceil(HISTORY / step))
