"""Pages, and what is measured of their components, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controlplane import conventions as names
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.check import CheckKind, RegionState, RegionVerdict, ReportHead, Verdict, VerdictKind
from controlplane.model.event import Event
from controlplane.model.source import SourcePosition
from controlplane.ports import Transaction
from controlplane.store import SqlStore
from synthetics.status_page.daemon import StatusDaemon, StatusTurn
from synthetics.status_page.model import Automatic, Component, IncidentPolicy, Sources, StatusPage, SubscriberPolicy

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DRAFTING = IncidentPolicy(Automatic.DRAFT)
PUBLISHING = IncidentPolicy(Automatic.PUBLISH, needs_approval=False)


def a_page(policy: IncidentPolicy = PUBLISHING, **changes: object) -> StatusPage:
    page = StatusPage(
        name="shop",
        title="Shop",
        url="https://status.example",
        time_zone="Europe/Berlin",
        components=(
            Component("api", "API", sources=Sources(slos=("reads",), probes=("gateway",))),
            Component("login", "Sign-in", sources=Sources(journeys=("sign-in",))),
        ),
        source=SourcePosition("page.yaml", 1, 1),
        incidents=policy,
        subscribers=SubscriberPolicy(webhook=True, subscribe_url="https://hooks.example"),
    )
    return replace(page, **changes)  # type: ignore[arg-type]


def a_verdict(name: str, kind: VerdictKind, check: CheckKind = CheckKind.PROBE, region: str = "eu") -> Verdict:
    state = {
        VerdictKind.UP: RegionState.UP,
        VerdictKind.REGIONAL: RegionState.DOWN,
        VerdictKind.GLOBAL: RegionState.DOWN,
        VerdictKind.UNKNOWN: RegionState.SILENT,
    }[kind]
    detail = "connect to 10.1.2.3:8443 (pod gateway-7f) refused"
    return Verdict(name, check, kind, NOW, 2, (RegionVerdict(region, state, NOW, detail),))


def an_alert(slo: str = "reads", severity: str = "page", name: str = names.ALERT_BURN) -> Alert:
    labels = {"alertname": name, names.SLO: slo, names.SEVERITY: severity, "pod": "gateway-7f"}
    return Alert(f"{name}{slo}", NOW, AlertStatus.FIRING, labels, {"summary": "secret of the house"})


class World:
    """A store, a page, and a daemon whose turns a test takes one by one."""

    def __init__(self, store: SqlStore, page: StatusPage) -> None:
        self.store = store
        self.page = page
        self.now = NOW
        self.daemon = StatusDaemon(store, lambda: [self.page])
        self.gateway = VerdictKind.UP
        self.login = VerdictKind.UP
        self._reports = 0

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        with self.store.transaction(read_only=True) as transaction:
            yield transaction

    def turn(self, after: timedelta = timedelta(0)) -> StatusTurn:
        """Time passes, probers report, the daemon takes its turn."""
        self.now += after
        self._reports += 1
        verdicts = [
            a_verdict("gateway", self.gateway),
            a_verdict("sign-in", self.login, CheckKind.JOURNEY),
        ]
        with self.store.transaction() as transaction:
            transaction.checks.take(ReportHead("eu", "p", self._reports, self.now), [], self.now)
            transaction.checks.put_verdicts(verdicts, self.now)
        return self.daemon.run_once(self.now)

    def turns(self, span: timedelta, every: timedelta = MINUTE) -> StatusTurn:
        """Turn after turn for so long."""
        done = StatusTurn()
        for _ in range(span // every):
            done += self.turn(every)
        return done

    def event(self, kind: str, data: dict[str, object], at: datetime | None = None) -> None:
        at = at or self.now
        with self.store.transaction() as transaction:
            transaction.events.append(Event(f"{kind}@{at}", kind, "ladder", at, data), at)  # type: ignore[arg-type]
