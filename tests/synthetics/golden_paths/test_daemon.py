"""The daemon on a real database: each change is told once, whatever restarts, fails or does not answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from controlplane import conventions as names
from controlplane.model.check import CheckResult, Outcome, ReportHead, VerdictKind
from controlplane.model.event import Event
from controlplane.model.series import Sample, Series
from controlplane.ports import LeaseLost, Store, Transient
from synthetics.golden_paths.daemon import STALE_AFTER, GoldenPathCollector, GoldenPathDaemon, Turn
from synthetics.golden_paths.model import GoldenPath
from tests.synthetics.golden_paths.paths import JOURNEY, MINUTE, NOW, PROBE, a_path, a_verdict, an_inventory

SLO = "gateway-availability"


@dataclass
class FakePrometheus:
    """Answers by what the query is about: traffic, alerts, what SLO rules recorded."""

    burning: bool = False
    away: bool = False
    routes: tuple[str, ...] = ("/graphql/query", "/files/upload")
    rates: tuple[float, float] = (20.0, 100.0)  # now, yesterday
    asked: list[str] = field(default_factory=list)

    def query(self, expr: str, at: datetime) -> list[Sample]:
        self.asked.append(expr)
        if self.away:
            raise Transient("connection refused")
        if "increase(" in expr:
            return [Sample({"service": "gateway", "route": route}, at, 1000.0) for route in self.routes]
        if "rate(" in expr:
            value = self.rates[1] if "offset 1d" in expr else self.rates[0]
            return [Sample({"service": "gateway", "route": "/graphql/query"}, at, value)]
        if expr.startswith("ALERTS"):
            return [Sample({"slo": SLO}, at, 1.0)] if self.burning else []
        return [Sample({"__name__": names.ROLLING_EVENTS, "slo": SLO}, at, 5.0)]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise AssertionError(expr)


def checks_say(store: Store, verdict: VerdictKind, at: datetime = NOW) -> None:
    """The path's journey and probe ran just now, and this stands of the probe."""
    results = [CheckResult(name, kind, "eu", at, 0.1, Outcome.OK)
               for kind, name in ((JOURNEY, "core-flow"), (PROBE, "gateway-health"))]  # fmt: skip
    stands = [a_verdict(JOURNEY, "core-flow", VerdictKind.UP), a_verdict(PROBE, "gateway-health", verdict)]
    with store.transaction() as transaction:
        transaction.checks.take(ReportHead("eu", "p", int(at.timestamp()), at), results, at)
        transaction.checks.put_verdicts(stands, at)


def told(store: Store) -> list[Event]:
    with store.transaction(read_only=True) as transaction:
        return [recorded.event for recorded in transaction.events.after(0, 100)]


def minutes(daemon: GoldenPathDaemon, count: int, start: int = 0, paths: Sequence[GoldenPath] = (a_path(),)) -> Turn:
    """So many turns, one a minute; what the last one found."""
    turn = Turn()
    for minute in range(start, start + count):
        turn = daemon.run_once(paths, [an_inventory()], NOW + minute * MINUTE)
    return turn


def test_a_coverage_hole_is_told_once_and_its_end_once(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    prometheus = FakePrometheus(burning=True)
    daemon = GoldenPathDaemon(store, prometheus)
    assert minutes(daemon, 5).disagreeing == ()
    turn = minutes(daemon, 1, start=5)
    assert (len(turn.told), turn.disagreeing) == (1, ("core-flow",))
    assert minutes(daemon, 20, start=6).told == ()
    prometheus.burning = False
    assert minutes(daemon, 2, start=26).disagreeing == ()
    minutes(daemon, 5, start=28)
    assert [(event.kind, event.data.get("kind")) for event in told(store)] == [
        ("golden_path.disagreement", "coverage_hole"),
        ("golden_path.agreement", None),
    ]


def test_checks_that_fail_while_slos_are_calm_are_told_with_the_traffic(store: Store) -> None:
    checks_say(store, VerdictKind.REGIONAL)
    minutes(GoldenPathDaemon(store, FakePrometheus()), 6)
    (event,) = told(store)
    assert event.data["kind"] == "dns_or_region"
    assert event.data["traffic_halved"] is True
    assert "Traffic fell to 20 % of the same time yesterday" in str(event.data["detail"])


def test_a_restart_tells_nothing_twice_and_ends_what_began_before(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    prometheus = FakePrometheus(burning=True)
    minutes(GoldenPathDaemon(store, prometheus), 6)
    assert minutes(GoldenPathDaemon(store, prometheus), 10, start=6).disagreeing == ("core-flow",)
    assert len(told(store)) == 1
    prometheus.burning = False
    minutes(GoldenPathDaemon(store, prometheus), 2, start=20)
    assert [event.kind for event in told(store)] == ["golden_path.disagreement", "golden_path.agreement"]


def test_a_path_that_is_taken_out_of_the_files_for_a_while_is_told_nothing_twice(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    daemon = GoldenPathDaemon(store, FakePrometheus(burning=True))
    minutes(daemon, 6)
    minutes(daemon, 3, start=6, paths=())
    minutes(daemon, 10, start=9)
    assert len(told(store)) == 1


def test_a_prometheus_that_does_not_answer_moves_nothing(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    prometheus = FakePrometheus(burning=True)
    daemon = GoldenPathDaemon(store, prometheus)
    minutes(daemon, 6)
    prometheus.away = True
    turn = minutes(daemon, 10, start=6)
    assert turn.disagreeing == ("core-flow",)
    assert turn.gaps == 0  # routes are unknown, not missing
    assert turn.unknown == 2
    assert len(told(store)) == 1


def test_who_leads_no_more_tells_nothing_and_decides_again_when_it_does(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    old = store.leases.acquire("leader", "a", timedelta(seconds=30))
    assert old
    store.leases.release(old)
    new = store.leases.acquire("leader", "b", timedelta(seconds=30))
    daemon = GoldenPathDaemon(store, FakePrometheus(burning=True))
    for minute in range(5):
        daemon.run_once([a_path()], [], NOW + minute * MINUTE, lease=old)
    with pytest.raises(LeaseLost):
        daemon.run_once([a_path()], [], NOW + 5 * MINUTE, lease=old)
    assert told(store) == []
    for minute in range(6, 12):
        daemon.run_once([a_path()], [], NOW + minute * MINUTE, lease=new)
    assert len(told(store)) == 1


def test_traffic_of_a_day_is_asked_for_every_few_minutes_and_after_an_edit(store: Store) -> None:
    checks_say(store, VerdictKind.UP)
    prometheus = FakePrometheus()
    daemon = GoldenPathDaemon(store, prometheus)

    def asked() -> int:
        return sum("increase(" in expr for expr in prometheus.asked)

    minutes(daemon, 5)
    assert asked() == 1
    minutes(daemon, 1, start=5)
    assert asked() == 2
    minutes(daemon, 1, start=6, paths=(a_path(max_age=MINUTE),))
    assert asked() == 3


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def scraped(daemon: GoldenPathDaemon, clock: Clock) -> list[str]:
    registry = CollectorRegistry()
    registry.register(GoldenPathCollector(daemon, clock))
    lines: list[str] = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_prometheus_scrapes_gaps_and_contradictions(store: Store) -> None:
    checks_say(store, VerdictKind.REGIONAL)
    clock = Clock()
    daemon = GoldenPathDaemon(store, FakePrometheus())
    assert scraped(daemon, clock) == []
    minutes(daemon, 6, paths=(a_path(journeys=()),))
    assert scraped(daemon, clock) == [
        'flyball_golden_path_gaps{gap="route-not-seen",golden_path="core-flow"} 0.0',
        'flyball_golden_path_gaps{gap="no-journey",golden_path="core-flow"} 1.0',
        'flyball_golden_path_gaps{gap="no-slo",golden_path="core-flow"} 0.0',
        'flyball_golden_path_gaps{gap="not-run",golden_path="core-flow"} 0.0',
        'flyball_golden_path_gaps{gap="failing",golden_path="core-flow"} 1.0',
        'flyball_golden_path_gaps{gap="exemption-expired",golden_path="core-flow"} 0.0',
        "flyball_golden_path_uncovered_routes 1.0",
        'flyball_golden_path_disagreement{golden_path="core-flow",kind="coverage_hole"} 0.0',
        'flyball_golden_path_disagreement{golden_path="core-flow",kind="dns_or_region"} 1.0',
        "flyball_golden_paths_checked_timestamp_seconds 1.7960403e+09",
    ]
    clock.at = NOW + 6 * MINUTE + STALE_AFTER
    assert scraped(daemon, clock) == []


def test_what_is_not_known_is_not_scraped_as_zero(store: Store) -> None:
    daemon = GoldenPathDaemon(store, FakePrometheus(away=True))
    minutes(daemon, 1)
    text = "\n".join(scraped(daemon, Clock()))
    assert 'gap="route-not-seen"' not in text
    assert "uncovered_routes" not in text
    assert 'gap="not-run",golden_path="core-flow"} 2.0' in text
