"""Deliveries: events taken in durably beside those of a year, made into facts and sheets; reports and scrapes.

`DELIVERY_EVENTS` is how many stand there already and went into the sheets of 90 days (half a million; 10 million take
a quarter of an hour and 16 GB of disk to prepare), `DELIVERY_SENT` how many are sent, `DELIVERY_ON` one of `sqlite` and
`postgresql` alone.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from benchmarks import delivery_data as data
from benchmarks.postgresql import postgresql
from benchmarks.report import Figure, progress, show
from controlplane.model.delivery import Change, Deployment, DeploymentKind, EventQuery
from controlplane.store import SqlStore, migrate, open_store
from exporters.cloudevents.requests import Mode
from exporters.dora.exposition.daemon import ExpositionDaemon
from exporters.dora.facts import progress as reached
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.facts.folding import FACTS_VERSION, digest_of
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report.making import Question, make_report
from exporters.dora.report.model import By
from exporters.dora.report.views import report_data
from exporters.events.collector import EventsCollector
from exporters.events.intake import Intake
from exporters.events.reading import EventReader, Terms

EVENTS: Final = int(os.environ.get("DELIVERY_EVENTS", "500000"))
SENT: Final = int(os.environ.get("DELIVERY_SENT", "30000"))
ON: Final = os.environ.get("DELIVERY_ON", "")
BATCH: Final = 1000
FACTS: Final = 40_000
_REPEATED: Final = 0.1
_POLICY: Final = DeliveryPolicy()
_MOST_TURNS: Final = 10_000
_SENDER: Final = "cloudevents"
T = TypeVar("T")


def run() -> None:
    """Measure and print."""
    figures: list[Figure] = []
    if ON in ("", "sqlite"):
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "delivery.db"
            figures += _on("SQLite, synchronous=FULL", f"sqlite:///{file}", lambda: data.fill_sqlite(file, EVENTS))
    if ON in ("", "postgresql"):
        with postgresql() as url:
            figures += _on("PostgreSQL, fsync on", url, lambda: data.fill_postgresql(url, EVENTS))
    show("Delivery: events, facts, sheets, reports", figures)


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds by the clock and of this process's processor."""

    wall: float
    processor: float


def _took(work: Callable[[], object]) -> _Took:
    wall, processor = time.monotonic(), time.process_time()
    work()
    return _Took(time.monotonic() - wall, time.process_time() - processor)


@dataclass(frozen=True, slots=True)
class _Stopped:
    """A clock."""

    at: datetime

    def now(self) -> datetime:
        """Always the same."""
        return self.at


def _on(where: str, url: str, fill: Callable[[], None]) -> list[Figure]:
    migrate(url)
    took = _took(fill)
    progress(f"{where}: {EVENTS:,} events stand there after {took.wall:.0f} s")
    store = open_store(url)
    try:
        return [
            *_intake(where, store),
            *_folding(store),
            *_facts(store),
            *_reports(store),
            *_finding(store),
        ]
    finally:
        store.close()


def _intake(where: str, store: SqlStore) -> list[Figure]:
    bodies = list(data.bodies(SENT, BATCH, repeated=_REPEATED))
    reader, intake = EventReader(Terms(_SENDER)), Intake(store, _SENDER)
    with store.transaction() as transaction:
        last = transaction.delivery.last_sequence()
        start = reached.Progress(FACTS_VERSION, digest_of(_POLICY), last)
        reached.write(transaction.delivery, start)
    accepted = 0

    def take() -> None:
        nonlocal accepted
        for body in bodies:
            delivery = reader.from_body(body, Mode(is_batch=True), {}, data.NOW)
            assert not delivery.refused, delivery.faults
            accepted += intake.take(delivery, data.NOW).receipt.accepted

    took = _took(take)
    load = f"{os.getloadavg()[0]:.0f} processes wanted the cores"
    progress(f"{where}: {SENT:,} events were sent")
    return [
        Figure(f"{where}, {EVENTS:,} events: sent", SENT / took.wall, "/s", 5000, at_most=False, detail=load),
        Figure("… by this process's processor time", SENT / took.processor, "/s", 5000, at_most=False),
        Figure("… of them new", accepted / took.wall, "/s", detail=f"{accepted:,} of {SENT:,}"),
    ]


def _folding(store: SqlStore) -> list[Figure]:
    with store.transaction(read_only=True) as transaction:
        events = reached.events_behind(transaction.delivery)
    facts, sheets = FactsDaemon(store, lambda: _POLICY), MeasureDaemon(store, lambda: _POLICY)
    folded = _took(lambda: _until(lambda: facts.run_once(data.NOW).behind == 0))
    with store.transaction(read_only=True) as transaction:
        days = transaction.delivery.count_stale()
    measured = _took(lambda: _until(lambda: sheets.run_once(data.NOW).is_done))
    return [
        Figure("… made into facts: events", events / folded.wall, "/s"),
        Figure("… by this process's processor time", events / folded.processor, "/s"),
        Figure("… measured: days of a service", days / measured.wall, "/s", detail=f"{days:,} days"),
    ]


def _until(is_done: Callable[[], bool]) -> None:
    for _ in range(_MOST_TURNS):
        if is_done():
            return
    raise AssertionError("it is never done")


def _facts(store: SqlStore) -> list[Figure]:
    """Facts alone: how fast they are written, new and again."""
    long_ago = data.NOW - timedelta(days=500)
    deployments = [
        Deployment(f"/x#{n}", f"service-{n % data.SERVICES}", "production", long_ago + timedelta(seconds=n),
                   DeploymentKind.DEPLOYED, artifacts=(f"pkg:oci/shop@sha256:{n:064x}",))
        for n in range(FACTS)
    ]  # fmt: skip
    changes = [
        Change(f"git.example/x-{n % 500}#{n}", f"git.example/x-{n % 500}", long_ago, f"{n:040x}", title=f"Part {n}")
        for n in range(FACTS)
    ]

    def put() -> None:
        for own, others in zip(_parts(deployments), _parts(changes), strict=True):
            with store.transaction() as transaction:
                transaction.delivery.put_deployments(own)
                transaction.delivery.put_changes(others)

    new, again = _took(put), _took(put)
    return [
        Figure("… deployments and changes written", 2 * FACTS / new.wall, "/s", 20_000, at_most=False),
        Figure("… written again", 2 * FACTS / again.wall, "/s"),
    ]


def _parts(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[first : first + 5000] for first in range(0, len(items), 5000)]


def _reports(store: SqlStore) -> list[Figure]:
    """Sheets of 90 days that so many events come to, read and measured; and what Prometheus scrapes."""
    filled = list(data.sheets(EVENTS))
    size = sum(len(sheet.body) for sheet in filled) / 2**20
    for part in _parts(filled):
        with store.transaction() as transaction:
            transaction.delivery.put_sheets(part)
    with store.transaction() as transaction:
        transaction.delivery.put_deployments(data.first_deployments())
        transaction.delivery.add_counters(data.counters())
    report = _took(lambda: _report(store, compares=False))
    first, last = data.days()

    def read() -> None:
        with store.transaction(read_only=True) as transaction:
            transaction.delivery.sheets(first, last)

    detail = f"{len(filled):,} sheets, {size:,.0f} MiB, {data.SERVICES:,} services"
    return [
        Figure("… report of 90 days", report.wall, "s", 5, detail=detail),
        Figure("… of it by this process's processor time", report.processor, "s", 5),
        Figure("… of it: reading the sheets", _took(read).wall, "s"),
        Figure("… beside the 90 days before", _took(lambda: _report(store, compares=True)).wall, "s"),
        *_scrape(store),
    ]


def _report(store: SqlStore, *, compares: bool) -> None:
    question = Question(By.SERVICE, data.NOW - timedelta(days=data.DAYS), data.NOW, compares=compares)
    with store.transaction(read_only=True) as transaction:
        report = make_report(transaction.delivery, question, _POLICY, data.NOW)
    assert len(report.rows) == data.SERVICES
    report_data(report)


def _scrape(store: SqlStore) -> list[Figure]:
    exposition = ExpositionDaemon(store, lambda: _POLICY, _Stopped(data.NOW))
    refreshed = _took(lambda: exposition.refresh(data.NOW))
    registry = CollectorRegistry()
    registry.register(EventsCollector(store, reached.events_behind))
    scraped = b""

    def scrape() -> None:
        nonlocal scraped
        scraped = exposition.joined(
            generate_latest(registry),  # type: ignore[no-untyped-call]
            CONTENT_TYPE_LATEST,
        )

    took = max(_took(scrape).wall for _ in range(5))
    return [
        Figure("… scrape, the longest of five", took * 1000, "ms", 200, detail=f"{len(scraped) / 2**20:.1f} MiB"),
        Figure("… what it says made ready, every 30 s", refreshed.wall, "s"),
    ]


def _finding(store: SqlStore) -> list[Figure]:
    """What a person looks for among all events."""
    queries = (
        EventQuery(),
        EventQuery(source="https://github.com/acme/repository-007"),
        EventQuery(subject="service-7"),
        EventQuery(sender=_SENDER),
        EventQuery(type_prefix="dev.cdevents.service."),
        EventQuery(type_prefix="dev.cdevents.incident."),
        EventQuery(only_unknown=True),
    )

    def search(query: EventQuery) -> float:
        with store.transaction(read_only=True) as transaction:
            return _took(lambda: transaction.delivery.find_events(query)).wall

    return [Figure("… events looked for, the longest search", max(map(search, queries)) * 1000, "ms")]
