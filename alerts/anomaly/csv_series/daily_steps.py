"""Series with one value a day: the detector of daily costs knows their weekdays and the edges of months."""

from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.daily.scoring import score_days
from alerts.anomaly.detector.model import Floats, Panel, Scores, Terms
from alerts.anomaly.detector.settings import THRESHOLDS
from alerts.anomaly.explaining.facts import time_of
from alerts.anomaly.model import BASELINES

DAY: Final = timedelta(days=1)
_COST: Final = BASELINES.index("cost")


def is_daily(panel: Panel) -> bool:
    """Whether a step is a day."""
    return panel.grid.step == DAY


def score_daily(panel: Panel, terms: Terms) -> Scores:
    """As `score_history`, of days. It has no channels: `point` is the score times the threshold, the others are NaN."""
    found = score_days(panel.values.astype(np.float64), time_of(panel.grid, 0).date(), terms)
    score, unknown = found.score.astype(np.float32), np.full(found.score.shape, np.nan, np.float32)
    point: Floats = score * np.float32(THRESHOLDS[terms.sensitivity])
    return Scores(
        point=point,
        sustained=unknown,
        score=score,
        sustained_score=unknown,
        expected=found.expected.astype(np.float32),
        lower=found.lower.astype(np.float32),
        upper=found.upper.astype(np.float32),
        seasonal=unknown,
        slow=unknown,
        range_all=unknown,
        range_recent=unknown,
        baseline=np.where(np.isnan(score), 0, _COST).astype(np.uint8),
        maturity=found.maturity,
        shifted=found.shifted,
        value=panel.values,
        coverage=np.where(np.isnan(score), np.nan, 1).astype(np.float32),
    )
