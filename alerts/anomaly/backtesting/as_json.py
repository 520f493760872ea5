"""Backtests for programs."""

import json
from collections.abc import Sequence
from decimal import Decimal

from alerts.anomaly.backtesting.model import Backtest
from alerts.anomaly.episodes.model import EpisodeKind
from controlplane.model.anomaly import Episode


def as_json(tests: Sequence[Backtest]) -> str:
    """One object, in a line; figures are JSON numbers, null where there is none. Fields are only ever added."""
    return json.dumps({"backtests": [_data(each) for each in tests]}, ensure_ascii=False) + "\n"


def _data(test: Backtest) -> dict[str, object]:
    kinds = {kind.value: sum(each.kind == kind.value for each in test.episodes) for kind in EpisodeKind}
    return {
        "label": test.label,
        "detector": test.detector.name,
        "since": f"{test.since:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{test.until:%Y-%m-%dT%H:%M:%SZ}",
        "step_seconds": test.detector.step.total_seconds(),
        "series": test.series,
        "groups": test.groups,
        "scored_seconds": test.scored.total_seconds(),
        "alarms": len(test.alarms),
        "alarms_per_series_month": test.alarms_per_series_month,
        "open_seconds": test.open_time.total_seconds(),
        "kinds": kinds,
        "warnings": list(test.warnings),
        "episodes": [episode_data(each) for each in test.episodes],
    }


def episode_data(each: Episode) -> dict[str, object]:
    """One episode; `ended_at` is null while it is open."""
    return {
        "id": each.id,
        "detector": each.detector,
        "series": each.series,
        "labels": dict(each.labels),
        "kind": each.kind,
        "started_at": f"{each.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "ended_at": None if each.ended_at is None else f"{each.ended_at:%Y-%m-%dT%H:%M:%SZ}",
        "worst_at": f"{each.worst_at:%Y-%m-%dT%H:%M:%SZ}",
        "value": _number(each.value),
        "expected": _number(each.expected),
        "lower": _number(each.lower),
        "upper": _number(each.upper),
        "score": _number(each.score),
        "explanation": each.explanation,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
