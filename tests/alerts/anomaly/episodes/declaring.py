"""A detector as the tests declare it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from alerts.anomaly.model import AnomalyDetector, Direction, Opening, Output, Season, Sensitivity, Values
from controlplane.model.source import SourcePosition


def a_detector(*, step_minutes: int = 5, **changes: Any) -> AnomalyDetector:
    given: dict[str, Any] = {
        "name": "traffic",
        "display_name": "Traffic",
        "query": "sum by (service) (rate(http_requests_total[5m]))",
        "cost": None,
        "step": timedelta(minutes=step_minutes),
        "season": Season(),
        "values": Values.COUNTER,
        "direction": Direction.BOTH,
        "least_absolute": Decimal(10),
        "least_relative": None,
        "denominator": "",
        "least_denominator": None,
        "sensitivity": Sensitivity.MEDIUM,
        "outputs": (Output.POINT,),
        "calendars": (),
        "grouping": None,
        "opening": Opening(3, 5, 6),
        "severity": "page",
        "most_series": 1000,
        "labels": {},
        "runbook_url": "",
        "source": SourcePosition("a.yaml", 1, 1),
    }
    return AnomalyDetector(**given | changes)
