"""Anomalies as JSON: durations in seconds, times UTC, null where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from controlplane import anomaly_names as names
from controlplane.model.anomaly import Episode, Feedback
from flyball.web import pages
from flyball.web.anomaly_charts import Course
from flyball.web.api import JSON

if TYPE_CHECKING:
    from alerts.anomaly.explaining.model import Explained
    from flyball.web.anomaly_rows import DetectorRow, SeriesRow


def detector(row: DetectorRow) -> dict[str, JSON]:
    """One detector."""
    it, health = row.detector, row.health
    return {
        "name": it.name,
        "title": it.display_name or it.name,
        "query": it.query or None,
        "cost_ledger": it.cost.ledger.value if it.cost else None,
        "step_seconds": it.step.total_seconds(),
        "severity": it.severity,
        "state": row.word,
        "open": row.opened,
        "series": dict(health.series) if health else None,
        "scored_at": _time(health.scored_at) if health else None,
        "models_fitted_at": _time(health.fitted_at) if health else None,
        "failing": health.is_failing if health else None,
        "source": str(it.source),
    }


def series(row: SeriesRow) -> dict[str, JSON]:
    """One series of a list."""
    figures = row.figures
    return {
        "series": row.listed.text,
        "labels": dict(row.listed.labels),
        "state": row.word,
        "score": row.listed.score,
        **{name: _number(figures.get(metric)) for name, metric in _FIGURES.items()},
    }


_FIGURES = {"value": names.VALUE, "expected": names.EXPECTED, "lower": names.LOWER, "upper": names.UPPER}


def episode(it: Episode) -> dict[str, JSON]:
    """One anomaly; figures are decimal strings of its worst step."""
    figures: dict[str, JSON] = {
        name: None if value is None else f"{value:f}"
        for name, value in (
            ("value", it.value), ("expected", it.expected), ("lower", it.lower), ("upper", it.upper),
            ("score", it.score),
        )
    }  # fmt: skip
    return {
        "id": it.id,
        "detector": it.detector,
        "series": it.series,
        "labels": dict(it.labels),
        "kind": it.kind,
        "started_at": pages.iso(it.started_at),
        "ended_at": _time(it.ended_at),
        "worst_at": pages.iso(it.worst_at),
        **figures,
        "explanation": it.explanation,
    }


def feedback(it: Feedback) -> dict[str, JSON]:
    """What somebody said."""
    return {
        "id": it.id,
        "detector": it.detector,
        "series": it.series or None,
        "start": pages.iso(it.start),
        "end": pages.iso(it.end),
        "verdict": it.verdict.value,
        "learnt": it.is_learnt,
        "by": it.actor,
        "said_at": pages.iso(it.said_at),
        "note": it.note,
    }


def course(it: Course) -> dict[str, JSON]:
    """A series over time, as columns."""
    columns = {"value": it.value, "expected": it.expected, "lower": it.lower, "upper": it.upper, "score": it.score}
    told: dict[str, JSON] = {name: [_number(each) for each in column] for name, column in columns.items()}
    return {"step_seconds": it.step.total_seconds(), "at": [pages.iso(at) for at in it.at], **told}


def figures(known: Mapping[str, float]) -> dict[str, JSON]:
    """Figures by the metric's name."""
    return {name: _number(value) for name, value in sorted(known.items())}


def explained(it: Explained | None) -> dict[str, JSON] | None:
    """Why a step is anomalous, or is not."""
    if it is None:
        return None
    facts, channels = it.facts, it.facts.channels
    return {
        "at": pages.iso(facts.at),
        "value": _number(facts.value),
        "expected": _number(facts.expected),
        "lower": _number(facts.lower),
        "upper": _number(facts.upper),
        "point": _number(facts.point),
        "sustained": _number(facts.sustained),
        "score": _number(facts.score),
        "sustained_score": _number(facts.sustained_score),
        "rarity": {
            "seasonal": _number(channels.seasonal),
            "slow": _number(channels.slow),
            "range_all": _number(channels.range_all),
            "range_recent": _number(channels.range_recent),
        },
        "baseline": facts.baseline or None,
        "would_alert": it.would_alert,
        "open_since": _time(it.open_since),
        "said": it.said,
        "notes": list(it.notes),
        "group": it.group or None,
        "members": [{"series": each.series, "share": _number(each.share)} for each in it.members],
        "warnings": list(it.warnings),
        "earlier": [
            {"at": pages.iso(each.at), "value": _number(each.value), "weekly": each.is_weekly} for each in it.earlier
        ],
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _time(at: datetime | None) -> str | None:
    return pages.iso(at) if at else None
