"""An incident with all that happens around one: alerts, messages, a deployment, people, actions, an earlier one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from alerts.postmortems.actions import ActionDesk
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.follow_up import ActionState, Ticket
from controlplane.model.incident import (
    AttemptOutcome,
    DeliveryAttempt,
    DueStep,
    Incident,
    IncidentAlert,
    IncidentState,
    Origin,
    OutsideObject,
    PriceTag,
    Priority,
    Suspect,
    TimelineEntry,
    TimelineKind,
)
from controlplane.store import SqlStore

BEGAN = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOW = BEGAN + timedelta(hours=6)
KEY = "gateway"
BASE = Incident(
    id="i2", key=KEY, title="graphql-gateway burns its budget", priority=Priority.P1, state=IncidentState.RESOLVED,
    origin=Origin.ALERTS, started_at=BEGAN, opened_at=BEGAN + timedelta(seconds=40), updated_at=BEGAN + 64 * MINUTE,
    service="graphql-gateway", policy="p0", labels={"slo": "gateway-availability"},
    acknowledged_at=BEGAN + 4 * MINUTE, acknowledged_by="ann", quiet_since=BEGAN + 58 * MINUTE,
    resolved_at=BEGAN + 63 * MINUTE, resolved_by="ann", resolution="rolled back to v1.7.9", repeats="i1",
    price=PriceTag(
        BEGAN + 63 * MINUTE, (("gateway-availability", Decimal("0.184")),), (("platform", Decimal("241.25"), "USD"),),
        Decimal(12345),
    ),
    suspects=(
        Suspect(BEGAN - 6 * MINUTE, "deployment.finished", "graphql-gateway", "graphql-gateway v1.8.0 was deployed",
                Decimal("0.9"), ("same service", "6 min before")),
        Suspect(BEGAN - 50 * MINUTE, "finops.tier_changed", "intelgraph", "tier 1 came into force", Decimal("0.2")),
    ),
)  # fmt: skip
EARLIER = replace(
    BASE, id="i1", title="graphql-gateway burns its budget", started_at=BEGAN - timedelta(days=20),
    opened_at=BEGAN - timedelta(days=20), resolved_at=BEGAN - timedelta(days=20) + 30 * MINUTE, repeats="", price=None,
    suspects=(),
)  # fmt: skip


def alert(number: int) -> Alert:
    labels = {
        "alertname": "SLOErrorBudgetBurn",
        "slo": "gateway-availability",
        "severity": "page",
        "budget": "platform",
    }
    starts = BEGAN + number * MINUTE
    return Alert(f"f{number}", starts, AlertStatus.RESOLVED, labels, {"summary": "it burns"}, BEGAN + 58 * MINUTE)


def line(minutes: float, kind: TimelineKind, text: str, actor: str = "") -> TimelineEntry:
    at = BEGAN + timedelta(minutes=minutes)
    return TimelineEntry(f"{kind.value}:{minutes}", "i2", at, kind, text, actor)


def happened(store: SqlStore) -> Incident:
    """All of it; INC-2 repeats INC-1."""
    with store.transaction() as transaction:
        transaction.incidents.put(EARLIER)
        it = transaction.incidents.put(BASE)
        alerts = [alert(number) for number in range(8)]
        transaction.alerts.record_all(alerts, BEGAN + MINUTE)
        transaction.incidents.join(
            [IncidentAlert("i2", each.fingerprint, each.starts_at, BEGAN + MINUTE, each.ends_at) for each in alerts]
        )
        transaction.incidents.note(
            [
                line(-6, TimelineKind.DEPLOYMENT, "graphql-gateway v1.8.0 was deployed"),
                line(0.67, TimelineKind.OPENED, "SLOErrorBudgetBurn opened it as P1 through route pages", "flyball"),
                *(
                    line(1 + number / 10, TimelineKind.ALERT, f"SLOErrorBudgetBurn fires: group {number}")
                    for number in range(9)
                ),
                line(4, TimelineKind.ACKNOWLEDGED, "ann acknowledged it through Slack", "ann"),
                line(20, TimelineKind.NOTE, "rolling back | to v1.7.9 <script>alert(1)</script> @channel", "ann"),
                line(58, TimelineKind.ALERT, "SLOErrorBudgetBurn ended"),
                line(63, TimelineKind.RESOLVED, "ann resolved it: rolled back to v1.7.9", "ann"),
            ],
            NOW,
        )
        transaction.incidents.put_steps(
            [DueStep("i2", "p0", 1, 0, BEGAN + MINUTE, ("schedule:sre",), BEGAN + MINUTE, told=("sre-page",))]
        )
        transaction.telling.attempted(
            [
                DeliveryAttempt("m1", "pagerduty:sre", "i2", BEGAN + MINUTE, AttemptOutcome.RETRIED),
                DeliveryAttempt("m1", "pagerduty:sre", "i2", BEGAN + 2 * MINUTE, AttemptOutcome.DELIVERED, attempt=2),
            ]
        )
        opened = BEGAN + 2 * MINUTE
        transaction.telling.put_object(
            OutsideObject("i2", "pagerduty:sre", "flyball/i2", opened, opened, url="https://pd.example/1")
        )
    ids = iter(("a1", "a2", "a3"))
    desk = ActionDesk(store, lambda: next(ids))
    desk.add("INC-1", "Add a canary", owner="eve", due=date(2026, 11, 20), by="ann", now=BEGAN - timedelta(days=19))
    desk.add("INC-2", "Cap the connection pool", owner="ben", due=date(2026, 12, 15), by="ann", now=NOW)
    desk.add("INC-2", "Alert on pool size", owner="ann", due=date(2026, 12, 8), by="ann", now=NOW)
    desk.end("a3", ActionState.DONE, by="ann", why="", now=NOW + MINUTE)
    with store.transaction() as transaction:
        transaction.follow_up.put_ticket(
            Ticket(
                "action:a2",
                "work",
                "t",
                "b",
                (),
                NOW,
                NOW,
                outside_id="7",
                url="https://tickets.example/7",
                told_version=1,
            )
        )
    return it
