"""From judgements to the rows of a sheet. Pure."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from controlplane.model.delivery import AttributionReason
from exporters.dora.model import DeliveredChange, JudgedDeployment
from exporters.dora.reckoning.judging import JudgedIncident, Reckoning
from exporters.dora.sheets.columns import (
    CHANGE,
    DEPLOYMENT,
    FAILURES,
    INCIDENT,
    LONGEST,
    OPEN,
    REWORKS,
    STAGES,
    UNKNOWN,
    DaySheet,
    Hashes,
    hashed,
)

REASONS: Final = tuple(AttributionReason)
_SECOND: Final = timedelta(seconds=1)


def sheet_of(reckoned: Reckoning, midnight: datetime, counted: Hashes) -> DaySheet:
    """The day that begins at `midnight`, with what counters have counted of it."""
    deployments = [_deployment(one, midnight, one.id in reckoned.unexplained) for one in reckoned.deployments]
    changes = [
        _change(change, _second(one.at, midnight)) for one in reckoned.deployments for change in one.changes
    ]  # fmt: skip
    incidents = [_incident(one, midnight) for one in reckoned.incidents]
    return DaySheet(
        np.array(deployments, DEPLOYMENT), np.array(changes, CHANGE), np.array(incidents, INCIDENT), counted
    )


def _deployment(one: JudgedDeployment, midnight: datetime, is_unexplained: bool) -> tuple[int, ...]:
    return (
        _second(one.at, midnight),
        FAILURES.index(one.failure),
        REWORKS.index(one.rework),
        int(is_unexplained),
        OPEN if one.failure and one.recovered_at is None else seconds(one.recovery_time),
        hashed(one.run) if one.run else 0,
    )


def _change(one: DeliveredChange, second: int) -> tuple[int, ...]:
    return (second, seconds(one.lead_time), *(seconds(one.stages.get(stage)) for stage in STAGES))


def _incident(one: JudgedIncident, midnight: datetime) -> tuple[int, ...]:
    incident, attribution = one.incident, one.attribution
    return (
        _second(incident.started_at, midnight),
        OPEN if incident.resolved_at is None else seconds(one.restore_time),
        hashed(incident.id),
        hashed(attribution.deployment) if attribution.deployment else 0,
        REASONS.index(attribution.reason),
    )


def seconds(span: timedelta | None) -> int:
    """Whole ones; `UNKNOWN` for None."""
    return UNKNOWN if span is None else min(span // _SECOND, LONGEST)


def _second(at: datetime, midnight: datetime) -> int:
    return int((at - midnight).total_seconds())
