"""Joins everything, once, for the daemons, the web application and tests."""

import random
import secrets
import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Final

from alerts.delivery.collector import waits
from controlplane.adapters.alertmanager import AlertmanagerBackend
from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.ports import Clock
from controlplane.store import SqlStore, migrate, open_store
from flyball.alerting.services import AlertServices, AlertSurroundings
from flyball.anomalies.services import AnomalyServices, AnomalySurroundings
from flyball.applying import ToldApplying
from flyball.delivery.services import DeliveryServices, DeliverySurroundings
from flyball.ladder.services import LadderServices, LadderSurroundings
from flyball.leadership import Leadership
from flyball.money.services import MoneyServices, Surroundings
from flyball.scheduler import Job, JobRunner, Turn
from flyball.settings import Settings
from flyball.slo_wiring import slo_daemon, slo_workspace, with_credentials
from flyball.synthetics.services import CheckServices, CheckSurroundings
from flyball.synthetics.status_services import CHANNELS as SUBSCRIBERS
from flyball.telemetry import Metrics, Tracing, own_metrics
from flyball.workspace_state import CompiledOnce, WorkspaceState
from slo.journal import StoreJournal

SLO_EVERY: Final = timedelta(seconds=2)  # an edit is used once it looks the same twice; it has 10 s to be in force
FILES_EVERY: Final = timedelta(seconds=2)
VITALS_EVERY: Final = timedelta(seconds=15)
TIDY_EVERY: Final = timedelta(hours=1)
KEPT_DELIVERED: Final = timedelta(days=30)
_READY_TIMEOUT_SECONDS: Final = 3.0
_ACTOR: Final = "flyball"
_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the outbox does."""

    outbox_messages: int
    outbox_dead_letters: int


@dataclass(frozen=True, slots=True)
class Tidied:
    """Old messages and events that were forgotten."""

    messages: int
    events: int


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that runs in one process, joined but not started."""

    settings: Settings
    clock: Clock
    store: SqlStore
    backend: PrometheusBackend
    probe: PrometheusBackend
    alertmanager: AlertmanagerBackend
    own_metrics: Metrics
    tracing: Tracing
    leadership: Leadership
    runner: JobRunner
    state: WorkspaceState
    money: MoneyServices
    checks: CheckServices
    ladders: LadderServices
    alerts: AlertServices
    delivery: DeliveryServices
    anomalies: AnomalyServices
    jobs: tuple[Job, ...]

    def job(self, name: str) -> Job | None:
        """The job of that name."""
        return next((job for job in self.jobs if job.name == name), None)

    def readiness_checks(self) -> dict[str, Callable[[], str]]:
        """What must be well before this replica counts as ready; each says what is wrong, or nothing."""

        def store() -> str:
            self.store.ping()
            return ""

        def prometheus() -> str:
            self.probe.query("vector(1)", self.clock.now())
            return ""

        def files() -> str:
            return "" if self.state.is_compiled else "the SLO files have not been read yet"

        return {"store": store, "prometheus": prometheus, "files": files}

    def close(self) -> None:
        """Give back what the outside holds for us; spans are sent for a few seconds at most."""
        with ExitStack() as closing:
            for opened in (
                self.store, self.probe, self.backend, self.alertmanager, self.tracing, self.ladders, self.checks,
                self.alerts, self.delivery, self.anomalies,
            ):  # fmt: skip
                closing.callback(opened.close)  # the last one first


def wire(
    settings: Settings,
    *,
    clock: Clock | None = None,
    console: IO[str] | None = None,
) -> Services:
    """Bring the database to our schema and join everything. `console` is where alerts are told (standard output).

    Raises `Transient` when the database can't be reached and `Permanent` when it is not one that we can use.
    """
    migrate(settings.database_url.reveal())
    clock = clock or SystemClock()
    instance = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    store = open_store(settings.database_url.reveal())
    metrics = own_metrics()
    tracing = Tracing(endpoint=settings.otlp_endpoint, instance=instance)
    leadership = Leadership(store.leases, holder=instance, ttl=settings.lease_ttl, metrics=metrics)
    backend = PrometheusBackend(with_credentials(settings))
    workspace = slo_workspace(settings)
    files = CompiledOnce(workspace)
    state = WorkspaceState(
        files,
        store=store,
        backend=backend,
        clock=clock,
        own_metrics=metrics,
        sources=workspace.sources,
        money=workspace.money,
    )
    daemon = slo_daemon(settings, files, backend, StoreJournal(store, _ACTOR, leadership.proof))
    alertmanager = AlertmanagerBackend(settings.alertmanager_url)

    def look() -> object:
        return None if state.is_compiled else state.refresh()

    around = Surroundings(state.money, look, backend, store, clock, settings.cost_directory, workspace.models)
    money = MoneyServices(around)
    checks = CheckServices(
        CheckSurroundings(
            declared=workspace.checks,
            look=look,
            settings=settings,
            backend=backend,
            store=store,
            clock=clock,
            leadership=leadership,
            registry=metrics.registry,
            random_bytes=secrets.token_bytes,
            chance=random.SystemRandom().random,
            on_attempt=_counting(metrics),
        )
    )
    probe = PrometheusBackend(with_credentials(settings), timeout_seconds=_READY_TIMEOUT_SECONDS)
    ladders = LadderServices(
        LadderSurroundings(
            money=state.money,
            checks=workspace.checks,
            look=look,
            settings=settings,
            metrics=probe,
            store=store,
            clock=clock,
            journeys=checks.maker,
            make_id=lambda: secrets.token_hex(_ID_BYTES),
        )
    )
    alerts = AlertServices(
        AlertSurroundings(
            declared=workspace.alerts,
            look=look,
            settings=settings,
            store=store,
            backend=probe,
            alertmanager=alertmanager,
            clock=clock,
            make_id=lambda: secrets.token_hex(_ID_BYTES),
            random=random.SystemRandom().random,
            lease=leadership.proof,
            console=console or sys.stdout,
            flag_stores=ladders.stores,
            others=SUBSCRIBERS,
            on_attempt=_counting(metrics),
            on_delivered=waits(metrics.registry),
        )
    )
    delivery = DeliveryServices(
        DeliverySurroundings(
            declared=workspace.delivery,
            unit_costs=lambda: state.money().unit_costs,
            look=look,
            settings=settings,
            store=store,
            backend=probe,
            clock=clock,
        )
    )
    anomalies = AnomalyServices(
        AnomalySurroundings(
            declared=workspace.anomalies,
            is_known=workspace.is_known,
            policy=delivery.policy,
            look=look,
            ledger=money.ledger,
            source=PrometheusMatrix(with_credentials(settings), longest_seconds=120),
            store=store,
            clock=clock,
        )
    )
    for part in (money, checks, ladders, alerts, delivery, anomalies):
        for collector in part.collectors():
            metrics.registry.register(collector)
    return Services(
        settings=settings,
        clock=clock,
        store=store,
        backend=backend,
        probe=probe,
        alertmanager=alertmanager,
        own_metrics=metrics,
        tracing=tracing,
        leadership=leadership,
        runner=JobRunner(clock=clock, leadership=leadership, metrics=metrics, tracing=tracing),
        state=state,
        money=money,
        checks=checks,
        ladders=ladders,
        alerts=alerts,
        delivery=delivery,
        anomalies=anomalies,
        jobs=(
            *_slo_jobs(state, ToldApplying(daemon, metrics)),
            *alerts.jobs(),
            *money.jobs(),
            *checks.jobs(),
            *ladders.jobs(),
            *delivery.jobs(),
            *anomalies.jobs(),
            *_store_jobs(store, metrics, settings.events_kept),
        ),
    )


def _slo_jobs(state: WorkspaceState, applying: ToldApplying) -> Iterator[Job]:
    yield Job("files", FILES_EVERY, lambda turn: state.refresh(), leader_only=False)
    yield Job("slo", SLO_EVERY, lambda turn: applying.run(turn.now), leader_only=True)


def _store_jobs(store: SqlStore, metrics: Metrics, events_kept: timedelta) -> Iterator[Job]:
    yield Job("vitals", VITALS_EVERY, lambda turn: _measure(store, metrics), leader_only=False)
    yield Job("tidy", TIDY_EVERY, lambda turn: _tidy(store, turn, events_kept), leader_only=True)


def _counting(metrics: Metrics) -> Callable[[str, str], None]:
    def count(channel: str, outcome: str) -> None:
        metrics.deliveries.labels(channel, outcome).inc()

    return count


def _measure(store: SqlStore, metrics: Metrics) -> Vitals:
    with store.transaction(read_only=True) as transaction:
        vitals = Vitals(transaction.outbox.backlog(), transaction.outbox.dead_letters())
    metrics.outbox_messages.set(vitals.outbox_messages)
    metrics.outbox_dead_letters.set(vitals.outbox_dead_letters)
    return vitals


def _tidy(store: SqlStore, turn: Turn, events_kept: timedelta) -> Tidied:
    with store.transaction(lease=turn.lease) as transaction:
        messages = transaction.outbox.purge(turn.now - KEPT_DELIVERED)
        transaction.telling.purge(turn.now - events_kept)
        return Tidied(messages, transaction.events.purge(turn.now - events_kept))
