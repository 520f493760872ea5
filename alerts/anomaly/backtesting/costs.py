"""Daily costs of the past, and their scores in the shape of the others."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.backtesting.model import Past
from alerts.anomaly.daily.scoring import newest
from alerts.anomaly.detector.model import Booleans, Floats, Scores
from alerts.anomaly.model import BASELINES, AnomalyDetector
from alerts.anomaly.reading.costs import daily_costs
from alerts.anomaly.scoring.terms import terms_of
from controlplane.ports import CostLedger, Permanent

DAYS_BEFORE: Final = 270  # what the daemon learns from
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_CODES: Final = frozenset({"baseline", "maturity"})


def read_costs(ledger: CostLedger, detector: AnomalyDetector, since: datetime, end: datetime) -> Past:
    """Complete days up to `end`, with what a model learns from before `since`. Raises what the ledger raises."""
    if detector.cost is None:
        raise Permanent(f"detector {detector.name} is not about costs")
    until = end.astimezone(UTC).date()
    days = (until - since.astimezone(UTC).date()) // _DAY + DAYS_BEFORE
    costs = daily_costs(ledger, detector.cost, until, days, detector.most_series)
    labels = tuple({name: value for name, value in each.items() if value} for each in costs.labels)
    first = (costs.first - _EPOCH.date()) // _DAY
    return Past(labels, first, _DAY, costs.values.astype(np.float32))


def cost_scores(
    detector: AnomalyDetector, values: Floats, first: int, days: int, learnt: Booleans | None
) -> Scores:  # fmt: skip
    """Of the last `days` of (N, D); there are no channels, and nothing is sustained. `learnt` as of `Panel.fitted`."""
    if not values.size or not days:
        found: dict[str, NDArray[Any]] = {}
    else:
        begin = _EPOCH.date() + first * _DAY
        daily = newest(values.astype(np.float64), begin, terms_of(detector), days=days, settled=learnt)
        known = np.isfinite(daily.expected)
        found = {name: getattr(daily, name) for name in ("score", "expected", "lower", "upper", "maturity", "shifted")}
        found["baseline"] = np.where(known, BASELINES.index("cost"), 0)
        found["coverage"] = np.where(known, 1.0, np.nan)
    shape = (len(values), days)
    return Scores(**{each.name: _typed(each.name, found, shape) for each in fields(Scores)})


def _typed(name: str, found: dict[str, NDArray[Any]], shape: tuple[int, int]) -> NDArray[Any]:
    if name == "shifted":
        return np.asarray(found.get(name, np.zeros(shape)), dtype=np.bool_)
    if name in _CODES:
        return np.asarray(found.get(name, np.zeros(shape)), dtype=np.uint8)
    return np.asarray(found.get(name, np.full(shape, np.nan)), dtype=np.float32)
