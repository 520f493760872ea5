"""A workspace with routes, a store with a clock of its own, and alerts to deliver."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.intake import Intake, Received
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Matcher, MatchOperator, Receiver, Route
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.incident import Incident, Priority, TimelineEntry
from controlplane.model.outbox import DueMessage
from controlplane.ports import Store, Transaction

T0 = datetime(2026, 12, 1, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CRITICAL = frozenset({Priority.P0, Priority.P1})
PAGER = Channel("pagerduty:sre", ChannelKind.PAGERDUTY, {"routingKeyFrom": "FLYBALL_PAGERDUTY_SRE"}, CRITICAL)
CHAT = Channel("slack:#ops", ChannelKind.SLACK, {"channel": "#ops", "tokenFrom": "FLYBALL_SLACK_TOKEN"})
MAIL = Channel("email:boss", ChannelKind.EMAIL, {"to": "boss@example.com"})
POLICY = EscalationPolicy(
    "p0",
    (PolicyStep(timedelta(0), ("schedule:sre",)), PolicyStep(5 * MINUTE, ("receiver:boss",))),
    rounds=2,
    round_length=10 * MINUTE,
)


def equal(name: str, value: str) -> Matcher:
    return Matcher(name, MatchOperator.EQUAL, value)


ROUTES = Route(
    name="default",
    receivers=("chat",),
    group_by=("service", "slo"),
    resolve_after=2 * MINUTE,
    routes=(
        Route(name="watchdog", matchers=(equal("alertname", "Watchdog"),)),
        Route(name="pages", matchers=(equal("severity", "page"),), receivers=("sre",), escalation="p0", goes_on=True),
        Route(name="audit", matchers=(equal("team", "payments"),), receivers=("boss",)),
    ),
)
DECLARED = AlertsDeclared(
    root=ROUTES,
    receivers=(
        Receiver("boss", (MAIL,), display_name="The boss"),
        Receiver("chat", (CHAT,)),
        Receiver("sre", (PAGER, CHAT)),
    ),
    policies=(POLICY,),
)


def alert(
    name: str = "SLOErrorBudgetBurn",
    *,
    severity: str = "page",
    service: str = "checkout",
    slo: str = "pay",
    starts_at: datetime = T0,
    ended_after: timedelta | None = None,
    **labels: str,
) -> Alert:
    """An alert; without `ended_after` it fires. The same labels make the same fingerprint."""
    every = {"alertname": name, "severity": severity, "service": service, "slo": slo} | labels
    return Alert(
        fingerprint=hashlib.sha256(repr(sorted(every.items())).encode()).hexdigest()[:16],
        starts_at=starts_at,
        status=AlertStatus.FIRING if ended_after is None else AlertStatus.RESOLVED,
        labels={label: value for label, value in every.items() if value},
        annotations={"summary": f"{service} burns its budget", "runbook_url": "https://runbooks.example/burn"},
        ends_at=None if ended_after is None else starts_at + ended_after,
        generator_url="http://prometheus.example/graph?g0.expr=up",
    )


def ended(alert: Alert, after: timedelta = MINUTE) -> Alert:
    return replace(alert, status=AlertStatus.RESOLVED, ends_at=alert.starts_at + after)


@dataclass
class Bench:
    """Everything joined over one store; `now` is the time, everywhere."""

    store: Store
    now: datetime = T0
    declared: AlertsDeclared = DECLARED
    ids: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.keeper = Keeper(lambda: self.declared, read_time=self._time)
        self.intake = Intake(self.store, self.keeper)
        self.desk = Desk(self.store, lambda: self.declared, lambda: f"id{next(self.ids)}", read_time=self._time)
        self.snapshots = IncidentSnapshots(
            self.store, lambda: self.declared, "https://flyball.example/", read_time=lambda transaction: self.now
        )

    def _time(self, transaction: Transaction, now: datetime) -> datetime:
        return self.now

    def receive(self, *alerts: Alert, receiver: str = "default", group: str = "g") -> Received:
        firing = any(each.status is AlertStatus.FIRING for each in alerts)
        status = AlertStatus.FIRING if firing else AlertStatus.RESOLVED
        return self.intake.receive(AlertNotification(group, receiver, status, alerts), self.now)

    def incidents(self) -> list[Incident]:
        """All, latest first."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.between(T0 - timedelta(days=400), T0 + timedelta(days=400))

    def one(self) -> Incident:
        found = self.incidents()
        assert len(found) == 1, found
        return found[0]

    def incident(self, id_: str) -> Incident:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(id_)
        assert found is not None
        return found

    def timeline(self, id_: str) -> list[TimelineEntry]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.timeline(id_)

    def texts(self, id_: str) -> list[str]:
        return [line.text for line in self.timeline(id_)]

    def read(self, ask: Callable[[Transaction], Any]) -> Any:
        with self.store.transaction(read_only=True) as transaction:
            return ask(transaction)

    def due(self) -> list[DueMessage]:
        """Take all that waits, and say that it arrived."""
        found: list[DueMessage] = []
        while True:
            with self.store.transaction() as transaction:
                claimed = transaction.outbox.claim(100, self.now)
            if not claimed:
                return found
            with self.store.transaction() as transaction:
                for each in claimed:
                    transaction.outbox.delivered(each.message.id, self.now)
            found += claimed

    def told(self) -> list[str]:
        """Channels that had news, in order."""
        return sorted(each.message.channel for each in self.due())
