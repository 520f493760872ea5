"""Score daily costs against what their past lets expect."""

from datetime import date

from alerts.anomaly.daily.model import Amounts, Booleans, DailyScores
from alerts.anomaly.detector.model import Terms

STANDARD_TERMS = Terms()


def score_days(
    values: Amounts, first_day: date, terms: Terms = STANDARD_TERMS, *, settled: Booleans | None = None
) -> DailyScores:
    """Score every day of (S, D) amounts from the days before it alone; NaN is a day that nobody recorded.

    `settled` (S, D) or (1, D) is False where a day is still being filled in: it is not learnt from, and scored only
    if it already lies above. Of `terms`, direction, sensitivity and least deviations count.
    """
    raise NotImplementedError


def newest(
    values: Amounts,
    first_day: date,
    terms: Terms = STANDARD_TERMS,
    *,
    days: int = 1,
    settled: Booleans | None = None,
) -> DailyScores:
    """The same as the last `days` columns of `score_days`, for a fraction of its cost."""
    raise NotImplementedError
