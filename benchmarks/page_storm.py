"""A storm of 10,000 alerts a minute: how long P0 pages take from receipt to the pager, and what a key is called.

Alerts come as Alertmanager delivers them (webhook bodies of up to 60 alerts), are stored, become incidents and leave
through PagerDuty's own client to a server in another process that takes 100 ms a call and keeps PagerDuty's limits.
Every minute brings more incidents than the key may be called for, so that the reserve for critical pages is needed.
"""

import gc
import json
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from alerts.adapters.pagerduty import PagerDutyNotifier
from alerts.delivery.daemon import LanesDaemon
from alerts.delivery.fallback import Fallbacks
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing
from alerts.incidents.keeping import Keeper
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.intake import Intake
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Matcher, MatchOperator, Receiver, Route
from alerts.webhook import Refusal, parse_webhook
from benchmarks.postgresql import postgresql
from benchmarks.report import Figure, progress, show
from controlplane.store import SqlStore, migrate, open_store
from tests.outside.failing import Answered, Asked
from tests.outside.pagerduty import ROUTING_KEY, PagerDutyServer

MINUTES: Final = 3
ALERTS_A_MINUTE: Final = 10_000
BODY: Final = 60  # alerts of one delivery: 167 incidents a minute, more than a key may be called for
P0_SHARE: Final = 0.12  # of the incidents
_CALL_SECONDS: Final = 0.1
_LIMIT_SECONDS: Final = 5.0
_LIMIT_CALLS: Final = 120
_LIMIT_GROWTH_MIB: Final = 100
_DRAIN_SECONDS: Final = 20.0
_SEED: Final = 7
_PAGER: Final = Channel("pagerduty:SRE", ChannelKind.PAGERDUTY, {"routingKeyFrom": "KEY"})
_DECLARED: Final = AlertsDeclared(
    root=Route(
        "default",
        receivers=("sre",),
        group_by=("service",),
        routes=(Route("pages", (Matcher("priority", MatchOperator.EQUAL, "P0"),), receivers=("sre",)),),
    ),
    receivers=(Receiver("sre", (_PAGER,)),),
)


def run() -> None:
    """Measure and print, on both databases."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        figures += _measured("SQLite", f"sqlite:///{Path(folder)}/storm.db")
    with postgresql() as url:
        figures += _measured("PostgreSQL", url)
    show("Page storm: 10,000 alerts a minute", figures)


@dataclass
class _Storm:
    """What was sent and what became of it; times are seconds of one clock of the machine."""

    received: dict[str, float] = field(default_factory=dict)  # P0 incidents
    incidents: int = 0
    alerts: int = 0
    receipt_seconds: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)  # MiB, after each minute


def _measured(engine: str, url: str) -> list[Figure]:
    progress(f"{engine}: {MINUTES} minutes of {ALERTS_A_MINUTE:,} alerts")
    migrate(url)
    store = open_store(url)
    with _pager() as (address, events_so_far):
        storm = _blow(store, address)
        calls = events_so_far()
    store.close()
    return _figures(engine, storm, calls)


def _blow(store: SqlStore, address: str) -> _Storm:
    storm, stopping = _Storm(), threading.Event()
    intake = Intake(store, Keeper(lambda: _DECLARED))
    lanes, fallbacks = _lanes(store, address), Fallbacks(store, lambda: _DECLARED)

    def deliver() -> None:
        while not stopping.is_set():
            began = time.monotonic()
            lanes.run_once(_now())
            fallbacks.run_once(_now())
            stopping.wait(max(0.0, 1.0 - (time.monotonic() - began)))

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        _send(intake, storm)
        time.sleep(_DRAIN_SECONDS)
    finally:
        stopping.set()
        thread.join()
        lanes.close()
    return storm


def _lanes(store: SqlStore, address: str) -> LanesDaemon:
    rates = Rates(_now)
    snapshots = IncidentSnapshots(store, lambda: _DECLARED)
    showing = Showing(store, snapshots, now=_now)
    return LanesDaemon(
        store,
        lambda: _DECLARED,
        lambda channel: PagerDutyNotifier(
            channel.name, lambda: ROUTING_KEY, showing, rates.of(channel), now=_now, url=address
        ),
        rates,
        now=_now,
        random=random.Random(_SEED).random,
    )


def _send(intake: Intake, storm: _Storm) -> None:
    """At an even pace; what is late is made up for, as Alertmanager's queues do."""
    pause = 60 * BODY / ALERTS_A_MINUTE
    begun = time.monotonic()
    for number, (body, is_p0) in enumerate(_bodies()):
        time.sleep(max(0.0, begun + number * pause - time.monotonic()))
        came = time.monotonic()
        said = parse_webhook(body)
        assert not isinstance(said, Refusal), said
        received = intake.receive(said, _now())
        storm.receipt_seconds.append(time.monotonic() - came)
        storm.alerts += len(said.alerts)
        storm.incidents += len(received.opened)
        if is_p0:
            storm.received |= dict.fromkeys(received.opened, came)
        if number % (ALERTS_A_MINUTE // BODY) == 0:
            gc.collect()
            storm.resident.append(_resident_mib())
    storm.resident.append(_resident_mib())


def _bodies() -> Iterator[tuple[bytes, bool]]:
    """Webhook bodies: the alerts of one service that had none so far, so each opens an incident."""
    chance = random.Random(_SEED)
    for number in range(int(MINUTES * ALERTS_A_MINUTE) // BODY):
        is_p0 = chance.random() < P0_SHARE
        name = f"service-{number}"
        alerts = [_alert(name, f"{number}-{each}", "P0" if is_p0 else "P2") for each in range(BODY)]
        said = {
            "version": "4",
            "groupKey": f'{{}}:{{service="{name}"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "pages" if is_p0 else "default",
            "groupLabels": {"service": name},
            "commonLabels": {"service": name},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager",
            "alerts": alerts,
        }
        yield json.dumps(said).encode(), is_p0


def _alert(service: str, name: str, priority: str) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "Storm", "service": service, "pod": name, "priority": priority},
        "annotations": {"summary": f"{service} fails", "description": "It fails. " * 10},
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"{abs(hash((service, name))):016x}",
    }


class _TimedPager(PagerDutyServer):
    """Takes its time, and notes when what was accepted."""

    def __init__(self) -> None:
        super().__init__(calls_a_minute=_LIMIT_CALLS)
        self.events: list[tuple[float, str, str]] = []

    def answer(self, asked: Asked) -> Answered:
        answered = super().answer(asked)
        if answered.status == 202:
            event = asked.json()
            self.events.append((time.monotonic(), event["dedup_key"], event["event_action"]))
        time.sleep(_CALL_SECONDS)
        return answered


@dataclass(frozen=True, slots=True)
class _Calls:
    events: list[tuple[float, str, str]]
    most_a_minute: int
    refused: int
    pages: int
    keys: int


def _serve(pipe: Connection) -> None:
    with _TimedPager() as server:
        pipe.send(server.url)
        pipe.recv()
        refused = sum(1 for each in server.asked) - len(server.events)
        keys = {page.key for page in server.pages}
        pipe.send(_Calls(server.events, server.most_calls_in_a_minute(), refused, len(server.pages), len(keys)))


@contextmanager
def _pager() -> Iterator[tuple[str, Callable[[], _Calls]]]:
    """A pager in a process of its own: its work and its memory are not ours."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()

    def ask() -> _Calls:
        ours.send("end")
        calls = ours.recv()
        assert isinstance(calls, _Calls)
        return calls

    try:
        yield ours.recv(), ask
    finally:
        process.terminate()
        process.join()


def _figures(engine: str, storm: _Storm, calls: _Calls) -> Iterator[Figure]:
    sent = {key.split("/")[1]: at for at, key, action in reversed(calls.events) if action == "trigger"}
    waits = sorted(sent[each] - came for each, came in storm.received.items() if each in sent)
    lost = len(storm.received) - len(waits)
    told = f"{len(waits)} pages among {storm.incidents} incidents, {storm.alerts:,} alerts"
    yield Figure(f"{engine}: P0, receipt to pager, p99", _quantile(waits, 0.99), "s", _LIMIT_SECONDS, detail=told)
    yield Figure(f"{engine}: P0, receipt to pager, median", _quantile(waits, 0.5), "s")
    yield Figure(f"{engine}: P0 pages that had not left at the end", lost, "pages", 0)
    most = calls.most_a_minute
    yield Figure(f"{engine}: most calls of the key in a minute", most, "calls", _LIMIT_CALLS)
    yield Figure(f"{engine}: calls that PagerDuty refused", calls.refused, "calls", 0)
    yield Figure(f"{engine}: incidents there beyond one a key", calls.pages - calls.keys, "pages", 0)
    receipts = sorted(storm.receipt_seconds)
    yield Figure(f"{engine}: a body of {BODY} alerts is received in, p99", _quantile(receipts, 0.99), "s")
    growth = storm.resident[-1] - storm.resident[min(1, len(storm.resident) - 1)]
    detail = ", ".join(f"{each:.0f}" for each in storm.resident)
    yield Figure(f"{engine}: memory grown after the first minute", growth, "MiB", _LIMIT_GROWTH_MIB, detail=detail)


def _quantile(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _now() -> datetime:
    return datetime.now(UTC)
