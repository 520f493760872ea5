"""What a declared detector means to those who read, fit and score."""

import hashlib
import json
from datetime import timedelta
from typing import Final

from alerts.anomaly.detector.model import Terms
from alerts.anomaly.detector.settings import history_steps, refit_steps
from alerts.anomaly.model import AnomalyDetector, Values
from alerts.anomaly.reading.model import ReadingTerms
from alerts.anomaly.scoring.incomplete import longest_range

MOST_CELLS: Final = 81_000_000  # of a buffer: 10,000 series × 28 days at 5 min are 323 MB
LEAST_DAYS: Final = 8  # are kept of however many series: a week to compare with
_DAY: Final = timedelta(days=1)


def terms_of(detector: AnomalyDetector) -> Terms:
    """For `alerts.anomaly.detector`."""
    return Terms(
        values=detector.values,
        direction=detector.direction,
        sensitivity=detector.sensitivity,
        least_absolute=float(detector.least_absolute or 0),
        least_relative=float(detector.least_relative or 0),
        daily=detector.season.daily,
        weekly=detector.season.weekly,
    )


def reading_terms(detector: AnomalyDetector) -> ReadingTerms:
    """For `alerts.anomaly.reading`."""
    return ReadingTerms(
        query=detector.query,
        step=detector.step,
        capacity=capacity_of(detector),
        most_series=detector.most_series,
        is_counter=detector.values is Values.COUNTER,
        denominator=detector.denominator,
        least_denominator=float(detector.least_denominator or 0),
        range=longest_range(detector.query),
    )


def capacity_of(detector: AnomalyDetector) -> int:
    """Steps that are kept: what a fit wants, less where that would be more than 81 million cells.

    10,000 series at 1 min keep 8 days: they are compared with the days before, not with weeks.
    """
    wanted = history_steps(detector.step)
    return min(wanted, max(MOST_CELLS // detector.most_series, LEAST_DAYS * (_DAY // detector.step)))


def refit_after(detector: AnomalyDetector) -> int:
    """Steps after which a model is fitted again: well before it can score no further."""
    return max(min(refit_steps(detector.step), steps_ahead(detector) // 2), 1)


def steps_ahead(detector: AnomalyDetector) -> int:
    """Steps that a model can score: a day's, whose earlier days it knows."""
    return max(_DAY // detector.step, 1)


def digest_of(detector: AnomalyDetector) -> str:
    """Changes when models of it must be made anew: what is read, on which steps, how it is fitted and scored.

    Not with names, severity, hysteresis or links. Calendars and feedback take effect at the next fit.
    """
    grouping, cost = detector.grouping, detector.cost
    where = sorted((name, sorted(values)) for name, values in (cost.where or {}).items()) if cost else []
    relevant = {
        "query": detector.query,
        "denominator": [detector.denominator, str(detector.least_denominator)],
        "step": detector.step.total_seconds(),
        "season": [detector.season.time_zone, detector.season.daily, detector.season.weekly],
        "values": detector.values.value,
        "scoring": [
            detector.direction.value,
            detector.sensitivity.value,
            str(detector.least_absolute),
            str(detector.least_relative),
        ],
        "cost": None if cost is None else [cost.ledger.value, list(cost.by), cost.currency, where],
        "groups": [list(grouping.by), grouping.aggregate] if grouping else None,
    }
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:32]
