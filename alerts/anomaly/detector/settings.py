"""The one frozen configuration: for NAB, for services and for money alike; nothing here is tuned to a series.

Sources: ANOMALY.md's measured design, unless said otherwise; measured again in docs/explanation/anomaly-detector.md.
"""

from datetime import timedelta
from typing import Final

from alerts.anomaly.model import Sensitivity

MODEL_VERSION: Final = 1
"""Of a packed model. Another one does not fit: it is rebuilt."""

THRESHOLDS: Final = {Sensitivity.LOW: 1.6, Sensitivity.MEDIUM: 1.29, Sensitivity.HIGH: 1.0}
"""Mean rarity (−log10 p) above which a step is anomalous."""

REFIT_STEPS: Final = 50
HISTORY: Final = timedelta(days=28)
LEAST_HISTORY_STEPS: Final = 1_000


def steps_a_day(step: timedelta) -> int:
    """Steps in 24 hours; 1 if a step is a day or longer."""
    return max(1, round(timedelta(days=1) / step))


def steps_an_hour(step: timedelta) -> int:
    """Steps of the block on which the level is refreshed: an hour, or one step if that is longer."""
    return max(1, round(timedelta(hours=1) / step))


def refit_steps(step: timedelta) -> int:
    """After how many steps a model is fitted anew: about 50, in whole hours where a step is shorter than that."""
    block = steps_an_hour(step)
    return block * max(1, round(REFIT_STEPS / block))


def history_steps(step: timedelta) -> int:
    """How many past steps a model is fitted on, hence what a ring buffer should hold: 28 days, at least 1,000 steps."""
    return max(LEAST_HISTORY_STEPS, round(HISTORY / step))
