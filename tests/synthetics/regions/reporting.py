"""A control plane that takes reports, in this process, and probers that report to it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from controlplane.ports import Store
from flyball.listen_address import ListenAddress
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web.report_hook import PATH, ReportHook
from flyball.web.server import WebServer
from synthetics.regions.adapters.http_delivery import HttpDelivery
from synthetics.regions.reporting import Reporter
from synthetics.regions.spool import Bounds, Spool
from tests.contracts.checking import NOON

TOKEN = "eu-secret-0123456789-0123456789-01"
OTHER_TOKEN = "us-secret-0123456789-0123456789-01"
TOKENS = (("eu", Secret(TOKEN)), ("us", Secret(OTHER_TOKEN)))
AT_ONCE = timedelta(0)


@dataclass
class Simulated:
    """A clock that tests move."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


@dataclass
class Plane:
    """A hook over a store."""

    store: Store
    clock: Simulated = field(default_factory=Simulated)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    tokens: Sequence[tuple[str, Secret]] = TOKENS
    max_in_flight: int = 16

    def app(self) -> Starlette:
        hook = ReportHook(
            self.store,
            tokens=self.tokens,
            clock=self.clock,
            metrics=own_metrics(),
            tracing=Tracing(endpoint="", instance="test"),
            registry=self.registry,
            max_in_flight=self.max_in_flight,
        )
        return Starlette(routes=[Route(PATH, hook.answer, methods=["POST"])])

    def counted(self) -> dict[tuple[str, str], float]:
        """Reports by region and outcome, those that there were."""
        return {
            (sample.labels["region"], sample.labels["outcome"]): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "flyball_prober_reports_total" and sample.value
        }


@contextmanager
def serving(app: Starlette, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """The URL at which it is served."""
    host, _, port = listen.rpartition(":")
    server = WebServer(app, ListenAddress(host, int(port)))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://{server.address}"
    finally:
        server.stop()
        thread.join()


def reporter(url: str, spool: Spool, *, region: str = "eu", prober: str = "p1", token: str = TOKEN) -> Reporter:
    """A prober's reporter."""
    delivery = HttpDelivery(url, region=region, token=token)
    return Reporter(spool, delivery, region=region, prober=prober, version="0.1.0", chance=lambda: 0.5)


def spool(folder: Path, *, prober: str = "p1", bounds: Bounds | None = None) -> Spool:
    """The spool of region eu."""
    return Spool(folder / "eu.db", region="eu", prober=prober, bounds=bounds)


def drain(one: Reporter, now: datetime) -> None:
    """Turns until nothing waits; fails when it gets nowhere."""
    for _ in range(1000):
        if one.turn(now) != AT_ONCE:
            return
    raise AssertionError("it never ended")
