"""Routes and burn rates from a real Prometheus, runs from a real database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.check import CheckResult, Outcome, ReportHead, VerdictKind
from controlplane.ports import Store
from flyball.demo import servers
from synthetics.golden_paths.model import Route
from synthetics.golden_paths.reading import checks_run, routes_seen, slis_burning, traffic_drop
from tests.slo.evaluating import Past, past
from tests.synthetics.golden_paths.paths import HOUR, JOURNEY, MINUTE, NOW, PROBE, a_path, a_verdict, an_inventory


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        write(found)
        yield found


def write(memory: Past) -> None:
    """Two days of traffic; halved for the last half hour on one route. And what SLO rules recorded."""
    times = np.arange(int((NOW - 2 * timedelta(days=1)).timestamp()), int(NOW.timestamp()) + 1, 60)
    steady = (times - times[0]) * 10.0
    fell = np.where(times > NOW.timestamp() - 1800, steady[-31] + (steady - steady[-31]) * 0.3, steady)
    for pod in "ab":
        own = {"__name__": "http_requests_total", "job": "gateway", "service": "gateway", "pod": pod}
        memory.write({**own, "route": "/graphql/query", "operation": "read"}, times, fell)
        memory.write({**own, "route": "/graphql/mutation", "operation": "write"}, times, steady)
        memory.write({**own, "route": "/never", "operation": "read"}, times, np.full(len(times), 7.0))
        memory.write({**own, "route": "", "operation": "read"}, times, steady)
    memory.write({"__name__": "http_requests_total", "job": "other", "route": "/other"}, times, steady)
    memory.write({"__name__": "odd_total", "job": "a.b|c", "path": "/odd"}, times, steady)
    recent = times[-20:]
    for slo, rate, hour, bad in (("fast", 20, 20, 9), ("few", 20, 20, 2), ("short", 20, 3, 9), ("calm", 0.5, 0.5, 9)):
        memory.write({"__name__": names.ROLLING_EVENTS, "slo": slo, "event": "all"}, recent, np.full(20, 500.0))
        memory.write({"__name__": names.burn_rate("5m"), "slo": slo}, recent, np.full(20, rate))
        memory.write({"__name__": names.burn_rate("1h"), "slo": slo}, recent, np.full(20, hour))
        memory.write({"__name__": names.bad_events("1h"), "slo": slo}, recent, np.full(20, bad))
    memory.write({"__name__": names.ROLLING_EVENTS, "slo": "idle", "event": "all"}, recent, np.zeros(20))
    page = {"__name__": "ALERTS", "alertstate": "firing", "severity": "page"}
    memory.write({**page, "alertname": "ExportsBudgetBurn", "slo": "paging"}, recent, np.ones(20))
    memory.write({**page, "alertname": names.ALERT_NO_DATA, "slo": "gone"}, recent, np.ones(20))
    memory.write({**page, "alertname": names.ALERT_BURN, "slo": "tickets", "severity": "ticket"}, recent, np.ones(20))


def test_routes_and_their_traffic_come_from_the_inventorys_series(memory: Past) -> None:
    inventory = an_inventory(selector=(("job", ("gateway",)),))
    (answer,) = routes_seen(memory.backend, [inventory], [a_path()], NOW)
    assert answer.failure == ""
    found = {route.route: route.per_day for route in answer.routes}
    assert set(found) == {"/graphql/query", "/graphql/mutation"}  # none without a route, none that nobody used
    assert found["/graphql/mutation"] == pytest.approx(2 * 10 * 86_400, rel=0.01)


def test_labels_that_a_path_names_tell_routes_apart(memory: Past) -> None:
    path = a_path(routes=(Route("*", labels=(("operation", "read"),)),))
    (answer,) = routes_seen(memory.backend, [an_inventory(selector=(("job", ("gateway",)),))], [path], NOW)
    assert {(route.route, route.labels) for route in answer.routes} == {
        ("/graphql/query", (("operation", "read"),)),
        ("/graphql/mutation", (("operation", "write"),)),
    }


def test_labels_of_the_metric_may_be_named_otherwise_and_values_hold_anything(memory: Past) -> None:
    inventory = an_inventory(metric="odd_total", selector=(("job", ("a.b|c", "x")),), service_label="job",
                             route_label="path", within=HOUR, least_per_day=Decimal(1))  # fmt: skip
    (answer,) = routes_seen(memory.backend, [inventory], [], NOW)
    assert [(each.service, each.route) for each in answer.routes] == [("a.b|c", "/odd")]
    nearly = an_inventory(metric="odd_total", selector=(("job", ("axb|c", "a.b")),), route_label="path")
    assert routes_seen(memory.backend, [nearly], [], NOW)[0].failure


def test_an_absent_metric_and_an_absent_label_are_not_known(memory: Past) -> None:
    missing = an_inventory(metric="requests_total", selector=(("job", ("gateway",)),))
    unlabelled = an_inventory(route_label="path")
    found = routes_seen(memory.backend, [missing, unlabelled], [], NOW)
    assert [answer.failure for answer in found] == [
        'Prometheus has no requests_total{job="gateway"}',
        "http_requests_total has no label `path`",
    ]


def test_a_prometheus_that_is_away_is_not_known() -> None:
    away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
    (answer,) = routes_seen(away, [an_inventory()], [], NOW)
    assert answer.failure.startswith("Prometheus does not tell: ")
    assert answer.routes == ()


def test_traffic_of_a_path_is_compared_with_the_same_time_yesterday(memory: Past) -> None:
    inventory = an_inventory(selector=(("job", ("gateway",)),))
    drop = traffic_drop(memory.backend, [inventory], a_path(), NOW)
    assert drop
    assert drop.now == pytest.approx(6, rel=0.01)
    assert drop.yesterday == pytest.approx(20, rel=0.01)
    assert drop.is_halved
    steady = traffic_drop(memory.backend, [inventory], a_path(routes=(Route("/graphql/mut*"),)), NOW)
    assert steady
    assert not steady.is_halved
    assert traffic_drop(memory.backend, [inventory], a_path(routes=(Route("/nowhere"),)), NOW) is None
    assert traffic_drop(memory.backend, [inventory], a_path(), NOW - timedelta(days=1, hours=12)) is None


def test_an_slo_burns_when_it_pages_or_spends_as_fast(memory: Past) -> None:
    slos = ("fast", "few", "short", "calm", "idle", "paging", "gone", "tickets", "unheard-of")
    found = slis_burning(memory.backend, [a_path(slos=slos)], NOW)
    assert [(each.slo, each.is_paging) for each in found.burning] == [("fast", False), ("paging", True)]
    assert found.calm == {"few", "short", "calm", "idle"}
    assert slis_burning(memory.backend, [a_path(slos=())], NOW).calm == frozenset()


def run(kind: object, name: str, at: datetime, outcome: Outcome = Outcome.OK, region: str = "eu") -> CheckResult:
    return CheckResult(name, kind, region, at, 0.1, outcome)  # type: ignore[arg-type]


def test_the_latest_run_that_counts_is_found_behind_faults_and_long_ago(store: Store) -> None:
    results = [
        run(JOURNEY, "core-flow", NOW - 3 * MINUTE),
        *[run(PROBE, "gateway-health", NOW - n * MINUTE, Outcome.FAULT) for n in range(1, 40)],
        run(PROBE, "gateway-health", NOW - 70 * MINUTE),
        run(JOURNEY, "hello-case", NOW - timedelta(days=9, minutes=3)),
        run(PROBE, "core-flow", NOW - MINUTE),  # of another kind
    ]
    with store.transaction() as transaction:
        transaction.checks.take(ReportHead("eu", "p", 1, NOW), results, NOW)
        failed = run(JOURNEY, "core-flow", NOW - 2 * MINUTE, Outcome.FAILED, "us")
        transaction.checks.take(ReportHead("us", "q", 1, NOW), [failed], NOW)
        transaction.checks.put_verdicts([a_verdict(PROBE, "gateway-health", VerdictKind.REGIONAL)], NOW)
        path = a_path(journeys=("core-flow", "hello-case", "never"))
        found = checks_run(transaction.checks, [path], NOW)
    at = {name: evidence.last_run_at for (_, name), evidence in found.items()}
    assert at == {
        "core-flow": NOW - 2 * MINUTE,
        "gateway-health": NOW - 70 * MINUTE,
        "hello-case": NOW - timedelta(days=9, minutes=3),
        "never": None,
    }
    probe = found[(PROBE, "gateway-health")]
    assert (probe.verdict, probe.regions_down, probe.detail) == (VerdictKind.REGIONAL, ("eu",), "connection refused")


def test_where_the_run_itself_is_forgotten_its_hour_is_known(store: Store) -> None:
    with store.transaction() as transaction:
        at = NOW - timedelta(days=20, minutes=10)
        transaction.checks.take(ReportHead("eu", "p", 1, NOW), [run(JOURNEY, "core-flow", at)], NOW)
        transaction.checks.purge(NOW - timedelta(days=10), NOW - timedelta(days=100))
        found = checks_run(transaction.checks, [a_path()], NOW)
    assert found[(JOURNEY, "core-flow")].last_run_at == at.replace(minute=0)
