"""Incidents as those who tell them get to see them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from alerts.model import Link, Snapshot
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import (
    Incident,
    IncidentState,
    Origin,
    PriceTag,
    Priority,
    Suspect,
    TimelineEntry,
    TimelineKind,
)

NOW: Final = datetime(2026, 12, 1, 3, 12, tzinfo=UTC)
BEGAN: Final = NOW - timedelta(minutes=12)
PAGE: Final = "https://flyball.example/incidents/INC-7"
INCIDENT: Final = Incident(
    id="9f2c41d0aa",
    key="pages:ab12",
    title="graphql-gateway burns its error budget 14× too fast",
    priority=Priority.P1,
    state=IncidentState.OPEN,
    origin=Origin.ALERTS,
    started_at=BEGAN,
    opened_at=BEGAN + timedelta(seconds=20),
    updated_at=NOW,
    number=7,
    version=3,
    service="graphql-gateway",
    policy="p0",
    routes=("pages",),
    receivers=("sre-page",),
    labels={"service": "graphql-gateway", "severity": "page"},
    roles={"commander": "ann"},
    price=PriceTag(
        NOW, (("graphql-availability", Decimal("0.183")),), (("llm", Decimal("42.5"), "USD"),), Decimal(48211)
    ),
    suspects=(
        Suspect(
            BEGAN - timedelta(minutes=4), "deployment.finished", "graphql-gateway",
            "graphql-gateway 2.3.1 was deployed", Decimal("0.9"), ("same service", "4 min before"),
        ),
    ),
)  # fmt: skip


def an_alert(number: int = 1, **changes: Any) -> Alert:
    labels = {"alertname": "SLOErrorBudgetBurn", "severity": "page", "slo": "graphql-availability"}
    said = {"summary": "18.3 % of the 30-day budget is spent", "description": "It is gone in 1 h 7 min & counting."}
    alert = Alert(f"{number:016x}", BEGAN, AlertStatus.FIRING, labels | {"n": str(number)}, said)
    return replace(alert, **changes)


def a_line(number: int = 1, text: str = "It was opened", **changes: Any) -> TimelineEntry:
    at = BEGAN + timedelta(seconds=number)
    return replace(TimelineEntry(f"opened:{number}", INCIDENT.id, at, TimelineKind.OPENED, text), **changes)


def a_snapshot(incident: Incident = INCIDENT, **changes: Any) -> Snapshot:
    snapshot = Snapshot(
        incident=incident,
        alerts=(an_alert(),),
        alert_count=1,
        firing_count=1,
        runbooks=(Link("Gateway outage", "https://runbooks.example/gateway-outage"),),
        links=(Link("Dashboard", "https://grafana.example/d/slo?var-slo=graphql"),),
        page_url=PAGE,
        timeline=(a_line(),),
        taken_at=NOW,
        on_call=("ann",),
    )
    return replace(snapshot, **changes)


def acknowledged(by: str = "ann", version: int = 4) -> Incident:
    at = NOW - timedelta(minutes=2)
    return replace(INCIDENT, state=IncidentState.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=by, version=version)


def resolved(by: str = "ann", why: str = "rolled back", version: int = 5) -> Incident:
    return replace(
        INCIDENT, state=IncidentState.RESOLVED, resolved_at=NOW, resolved_by=by, resolution=why, version=version
    )


CHARACTERS = st.text(max_size=6) | st.text("<>&|*_@!\n\u202e\U0001f525x ", max_size=6)
TEXTS = st.builds(lambda text, times: text * times, CHARACTERS, st.sampled_from([1, 3, 50, 300]))
_SHORT = st.builds(lambda text, times: text * times, CHARACTERS, st.sampled_from([0, 1, 60]))
_URL = st.sampled_from(["https://x.example/", "", "javascript:x", "https://x.example/" + "ä|>" * 1200, "http://[", "x"])


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Whatever an incident may hold: a few texts, in every place where one may stand."""
    text, other, short, url = draw(TEXTS), draw(TEXTS), draw(_SHORT), draw(_URL)
    few, many = draw(st.integers(0, 3)), draw(st.integers(0, 25))
    incident = replace(
        draw(st.sampled_from([INCIDENT, acknowledged(short), resolved(short, other)])),
        title=text,
        summary=other,
        service=short,
        number=draw(st.sampled_from([0, 7, 123_456])),
        priority=draw(st.sampled_from(Priority)),
        origin=draw(st.sampled_from(Origin)),
        roles={short: text} if few else {},
        repeats=short,
        suspects=(Suspect(NOW, "flag.changed", short, text, Decimal(1), (other,)),) * few,
        price=PriceTag(
            NOW, ((short, Decimal("0.1")),) * many, ((text, Decimal("1e12"), "USD"),) * many, None, other
        ),
    )  # fmt: skip
    said = {"summary": text, "description": other, "worst": text}
    alerts = tuple(an_alert(number, annotations=said) for number in range(few * 3))
    return a_snapshot(
        incident,
        alerts=alerts,
        alert_count=len(alerts) * 100,
        firing_count=len(alerts),
        runbooks=(Link(text, url),) * few,
        links=(Link(short, url),) * many,
        page_url=url,
        timeline=tuple(a_line(number, other if number % 2 else text) for number in range(many * 2)),
        on_call=(short,) * few,
    )
