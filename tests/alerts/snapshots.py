"""Incidents as tests of what is told of them need them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from alerts.model import Link, Snapshot
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import Incident, IncidentState, Origin, Priority

NOW: Final = datetime(2026, 12, 1, 3, tzinfo=UTC)
ALERT: Final = Alert(
    fingerprint="00ff",
    starts_at=NOW - timedelta(minutes=2),
    status=AlertStatus.FIRING,
    labels={"alertname": "SLOErrorBudgetBurn", "severity": "page", "service": "gateway"},
    annotations={
        "summary": "gateway burns its budget 14 times too fast",
        "runbook_url": "https://runbooks.test/gateway",
    },
)
INCIDENT: Final = Incident(
    id="i1",
    key="k1",
    title="gateway burns its budget 14 times too fast",
    priority=Priority.P1,
    state=IncidentState.OPEN,
    origin=Origin.ALERTS,
    started_at=NOW - timedelta(minutes=2),
    opened_at=NOW,
    updated_at=NOW,
    number=7,
    service="gateway",
    labels=ALERT.labels,
    receivers=("sre",),
)


def resolved(incident: Incident, at: datetime = NOW) -> Incident:
    """The next version of it: it is over."""
    return replace(incident, state=IncidentState.RESOLVED, resolved_at=at, version=incident.version + 1)


def acknowledged(incident: Incident, at: datetime = NOW) -> Incident:
    """The next version of it: ann has it."""
    return replace(
        incident,
        state=IncidentState.ACKNOWLEDGED,
        acknowledged_at=at,
        acknowledged_by="ann",
        version=incident.version + 1,
    )


def snapshot_of(incident: Incident = INCIDENT, alerts: tuple[Alert, ...] = (ALERT,), **changes: Any) -> Snapshot:
    """It, with these alerts, all firing."""
    shown = Snapshot(
        incident=incident,
        alerts=alerts,
        alert_count=len(alerts),
        firing_count=len(alerts),
        runbooks=(Link("Runbook", "https://runbooks.test/gateway"),),
        links=(Link("Dashboard", "https://grafana.test/d/gateway"),),
        page_url="https://flyball.test/incidents/i1",
        timeline=(),
        taken_at=NOW,
    )
    return replace(shown, **changes)


class Kept:
    """Implements `Snapshots` from a dictionary."""

    def __init__(self, snapshots: Mapping[str, Snapshot] | None = None) -> None:
        self.snapshots = dict(snapshots or {})

    def put(self, incident: Incident) -> None:
        """It is so from now on."""
        self.snapshots[incident.id] = snapshot_of(incident)

    def of(self, incident: str) -> Snapshot | None:
        """As it was put."""
        return self.snapshots.get(incident)
