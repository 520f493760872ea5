"""Golden paths of every state, on a real Prometheus and a real database: what their page is looked at with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from starlette.applications import Starlette

from controlplane import conventions as names
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.check import (
    CheckKind,
    CheckResult,
    Outcome,
    RegionState,
    RegionVerdict,
    ReportHead,
    Verdict,
    VerdictKind,
)
from controlplane.model.source import SourcePosition
from controlplane.ports import Store
from flyball.web.console import console_routes, exception_handlers
from synthetics.golden_paths.disagreement import Checks, Disagreement, Sides, SLIs, Standing, event_of
from synthetics.golden_paths.model import Exemption, Gap, GoldenPath, Ignored, Route, RouteInventory
from tests.flyball.web.world import NASTY, NOW, State

HERE = SourcePosition("synthetics/golden-paths.yaml", 1, 1)
GATEWAY = "graphql-gateway"
PROBE, JOURNEY = CheckKind.PROBE, CheckKind.JOURNEY
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Declared:
    """A `GoldenPathState` of given parts."""

    paths: Sequence[GoldenPath] = ()
    inventories: Sequence[RouteInventory] = ()

    def golden_paths(self) -> Sequence[GoldenPath]:
        return self.paths

    def route_inventories(self) -> Sequence[RouteInventory]:
        return self.inventories


def everything() -> Declared:
    """A path that is covered, one of each gap, one with an accepted gap, and one that tries to break out."""
    journey_later = Exemption(Gap.NO_JOURNEY, "the exporter gets an API in January", date(2026, 12, 31))
    paths = (
        GoldenPath("core-flow", HERE, (Route("/graphql/query", GATEWAY), Route("/graphql/mutation", GATEWAY)),
                   ("gateway-availability", "gateway-read-latency"), ("core-flow",), ("gateway-health",),
                   display_name="Core flow", owner="team-edge"),
        GoldenPath("search", HERE, (Route("/graphql/saerch", GATEWAY),), ("gateway-read-latency",), ("hello-case",),
                   ("gateway-tls",), display_name="Search", owner="team-graph"),
        GoldenPath("exports", HERE, slos=("exports-signed",), exempt=(journey_later,), owner="team-trust"),
        GoldenPath("billing", HERE, (Route("/billing/*", "billing"),), is_critical=False),
        GoldenPath(f"nasty {NASTY}", HERE, (Route(f"/{NASTY}"),), (NASTY,), (NASTY,), display_name=NASTY, owner=NASTY),
    )  # fmt: skip
    ignored = (Ignored("/healthz", "asked by machines"),)
    inventory = RouteInventory("gateway", "http_requests_total", HERE, (("job", (GATEWAY,)),), ignored=ignored)
    return Declared(paths, (inventory,))


def write(url: str) -> None:
    """Two days of traffic by route, and what SLO rules would have recorded."""
    times = np.arange(int((NOW - timedelta(days=2)).timestamp()), int(NOW.timestamp()) + 1, 60)
    found = []
    shares = {"/graphql/query": 80.0, "/graphql/mutation": 30.0, "/files/upload": 7.0, "/healthz": 2.0}
    for route, per_second in shares.items():
        labels = {"__name__": "http_requests_total", "job": GATEWAY, "service": GATEWAY, "route": route}
        found.append(ColumnarSeries(encoded_labels(labels), times * 1000, (times - times[0]) * per_second))
    rolling = {"__name__": names.ROLLING_EVENTS, "slo": "gateway-availability", "event": "all"}
    found.append(ColumnarSeries(encoded_labels(rolling), times[-30:] * 1000, np.full(30, 1000.0)))
    with RemoteWriter(url) as writer:
        writer.write_columns(found)


def a_result(kind: CheckKind, check: str, ago: timedelta, outcome: Outcome = Outcome.OK) -> CheckResult:
    return CheckResult(check, kind, "eu", NOW - ago, 0.2, outcome)


def a_verdict(kind: CheckKind, check: str, verdict: VerdictKind, detail: str = "") -> Verdict:
    state = RegionState.DOWN if detail else RegionState.UP
    since = NOW - timedelta(minutes=12)
    return Verdict(check, kind, verdict, since, 2, (RegionVerdict("eu", state, since, detail),))


def fill(store: Store) -> None:
    """Runs, verdicts, and a contradiction that still stands after one that ended."""
    results = [
        a_result(JOURNEY, "core-flow", 4 * MINUTE),
        a_result(PROBE, "gateway-health", MINUTE),
        a_result(JOURNEY, "hello-case", timedelta(hours=9)),
        a_result(PROBE, "gateway-tls", MINUTE, Outcome.FAILED),
    ]
    verdicts = [
        a_verdict(JOURNEY, "core-flow", VerdictKind.UP),
        a_verdict(PROBE, "gateway-health", VerdictKind.UP),
        a_verdict(JOURNEY, "hello-case", VerdictKind.UP),
        a_verdict(PROBE, "gateway-tls", VerdictKind.REGIONAL, f"the certificate ended {NASTY}"),
    ]
    path = everything().paths[0]
    hole = Sides(Checks.UP, SLIs.BURNING, burning=("gateway-availability",))
    calm = Sides(Checks.UP, SLIs.CALM)
    with store.transaction() as transaction:
        transaction.checks.take(ReportHead("eu", "a", 1, NOW), results, NOW)
        transaction.checks.put_verdicts(verdicts, NOW)
        for ago, sides in ((timedelta(days=3), hole), (timedelta(days=3) - 20 * MINUTE, calm), (41 * MINUTE, hole)):
            at = NOW - ago
            kind = Disagreement.COVERAGE_HOLE if sides is hole else None
            transaction.events.append(event_of(path, Standing(kind, at), sides, at, None), at)


def application(state: State, declared: Declared) -> Starlette:
    routes = console_routes(state, golden_paths=declared)
    return Starlette(routes=routes, exception_handlers=dict(exception_handlers()))
