"""Every query of every dashboard, run on a real Prometheus that has what the compiled rules record."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.rule import RecordingRule
from controlplane.model.series import Series
from controlplane.model.slo import SLO
from dashboards.queries import DashboardQuery, Place, queries_of
from dashboards.slo_dashboard import DashboardOptions, slo_dashboards
from flyball.demo import servers
from flyball.grafana import grafana_files
from slo.compiler import CompileOptions, compile_rules
from tests.dashboards.examples import NASTY, latency, query, ratio, slo

MINUTE = timedelta(minutes=1)
HISTORY = timedelta(hours=3)
DEPLOYED = timedelta(minutes=20)
ALONE = (slo(), slo("latency", indicator=latency()))
GROUPED = replace(slo("by-tenant"), groups=("tenant", "region"))
ACME = {"tenant": "acme", "region": "eu"}
TOGETHER = (slo("shared-a"), slo("shared-b", days=7))
CHOICE = {"slo": "shared-a", "service": "checkout"}
WITH_EVENT = (names.LEDGER_EVENTS, names.total_events("30d"), names.total_events("7d"))


def _series(metric: str, labels: Mapping[str, str], end: datetime, *, skip: timedelta = timedelta(0)) -> Series:
    """A value a minute that grows, so that it is a counter as well as a gauge."""
    points = int((HISTORY - skip) / MINUTE)
    return Series(
        {"__name__": metric, **labels}, tuple((end - (points - 1 - i) * MINUTE, 0.1 + i / 1000) for i in range(points))
    )


def _recorded(slos: Sequence[SLO], options: CompileOptions, end: datetime) -> Iterator[Series]:
    """What the rules of these SLOs would write."""
    for file in compile_rules(slos, options):
        members = [each for each in slos if len(slos) == 1 or each.name in str(file)]
        for rule in (rule for group in file.groups for rule in group.rules if isinstance(rule, RecordingRule)):
            labels = dict(rule.labels)
            for each in [labels["slo"]] if "slo" in labels else [each.name for each in members]:
                for event in ("all", "bad") if rule.record in WITH_EVENT else (None,):
                    own = {"slo": each, **labels} | ({"event": event} if event else {})
                    yield _series(rule.record, own, end)


def _surroundings(end: datetime) -> Iterator[Series]:
    """The user's own series, versions and alerts."""
    yield _series("http_requests_total", {"job": "checkout", "code": "503"}, end)
    yield _series("graphql_latency_count", {"job": "checkout"}, end)
    yield _series("graphql_latency_bucket", {"job": "checkout", "le": "0.35"}, end)
    yield _series(names.BUILD_INFO, {"service": "checkout", "version": "1.0"}, end)
    yield _series(names.BUILD_INFO, {"service": "checkout", "version": "1.1"}, end, skip=HISTORY - DEPLOYED)
    yield Series({"__name__": names.ROLLING_EVENTS, "slo": "idle", "event": "all"}, ((end - MINUTE, 0.0), (end, 0.0)))
    for each in (*ALONE, *TOGETHER):
        yield from (_series(name, labels, end) for name, labels in _alert(each))


def _alert(firing: SLO) -> Iterator[tuple[str, dict[str, str]]]:
    alert = {"alertname": names.ALERT_BURN, "slo": firing.name, "severity": "page"}
    yield "ALERTS", {**alert, "alertstate": "firing"}
    yield "ALERTS_FOR_STATE", alert


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[PrometheusBackend]:
    unique: dict[str, Series] = {}
    for one in (
        *_recorded(ALONE[:1], CompileOptions(), now),
        *_recorded(ALONE[1:], CompileOptions(), now),
        *_recorded(TOGETHER, CompileOptions(shared_above=0), now),
        *_surroundings(now),
        *(replace(one, labels={**one.labels, **ACME}) for one in _recorded([GROUPED], CompileOptions(), now)),
        *(_series(name, {**labels, **ACME}, now) for name, labels in _alert(GROUPED)),
    ):
        unique[json.dumps(one.labels, sort_keys=True)] = one
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(list(unique.values()))
        yield PrometheusBackend(server.url)


def _without_data(backend: PrometheusBackend, asked: Iterable[DashboardQuery], now: datetime) -> list[str]:
    """Those that answer nothing over the last hours; a query that Prometheus refuses raises."""
    return [
        f"{each.title}: {each.expr}"
        for each in asked
        if not (
            backend.query(each.expr, now)
            if each.instant
            else backend.query_range(each.expr, now - timedelta(hours=2), now, MINUTE)
        )
    ]


def _queries(slos: Sequence[SLO], **options: int) -> list[DashboardQuery]:
    files = grafana_files(slos, external_url="https://flyball.example", **options)
    return [each for file in files for each in queries_of(file.text, variables=CHOICE)]


def test_every_query_of_an_slos_own_dashboard_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    asked = _queries(ALONE)
    assert len(asked) > 50
    assert {each.place for each in asked} == {Place.PANEL, Place.ANNOTATION}
    assert _without_data(backend, asked, now) == []


def test_the_reader_picks_one_of_the_budgets_of_a_grouped_slo(backend: PrometheusBackend, now: datetime) -> None:
    file = next(each for each in grafana_files([GROUPED]) if each.name == "slo-by-tenant.json")
    asked = queries_of(file.text, variables=ACME)
    picked = [each.expr for each in asked if each.place is Place.VARIABLE]
    assert picked == [
        'count by (tenant) (slo:error_budget:events{slo="by-tenant"})',
        'count by (region) (slo:error_budget:events{slo="by-tenant",tenant="acme"})',
    ]
    assert _without_data(backend, asked, now) == []
    others = [each for each in queries_of(file.text, variables={**ACME, "tenant": "globex"}) if "slo:" in each.expr]
    assert _without_data(backend, [each for each in others if "vector(0)" not in each.expr], now)


def test_every_query_of_shared_dashboards_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    files = grafana_files(TOGETHER, shared_above=1)
    assert [file.name for file in files] == ["slos.json", "slo-shared-7d.json", "slo-shared-30d.json"]
    for file, name in zip(files, ("shared-a", "shared-b", "shared-a"), strict=True):
        asked = queries_of(file.text, variables={"slo": name, "service": "checkout"})
        assert _without_data(backend, asked, now) == []


def test_a_service_without_alerts_versions_or_traffic_breaks_no_query(
    backend: PrometheusBackend, now: datetime
) -> None:
    silent = _without_data(backend, _queries([slo("unheard-of", text="x")]), now)
    assert not [line for line in silent if line.startswith(("Firing", "Alerts over time", "Objective"))]
    assert [line for line in silent if line.startswith("Budget left")]


def test_users_text_reaches_prometheus_as_it_was_written(backend: PrometheusBackend, now: datetime) -> None:
    label = 'http_requests_total{job=~"checkout$|$slo|${slo}|[[slo]]"} # don\'t read $slo\n'
    indicator = ratio()
    nasty = slo(NASTY, indicator=type(indicator)(query(label), query(label.replace('"', "`")), None))
    asked = [
        each
        for each in _queries([nasty])
        if each.title in ("Events at the source", "Traffic", "Budget left over the window")
    ]
    assert _without_data(backend, [each for each in asked if each.exemplar], now) == []
    for each in asked:
        backend.query(each.expr, now)  # parses
    selectors = [each.expr for each in asked if not each.exemplar]
    assert all(r"\x24slo" in expr and r"\x5b[slo]]" in expr and '\\"b\\\\c' in expr for expr in selectors)


def test_an_slo_without_traffic_burns_at_zero_and_one_without_measurements_not_at_all(
    backend: PrometheusBackend, now: datetime
) -> None:
    def burning(name: str) -> list[float]:
        asked = [each for each in _queries([slo(name, text="x")]) if each.title == "Burn rate: pages"]
        return [sample.value for sample in backend.query(asked[0].expr, now)]

    assert burning("idle") == [0.0]
    assert burning("unheard-of") == []


def test_exemplars_are_asked_for_on_the_users_own_series_only() -> None:
    asked = _queries(ALONE)
    assert {each.title for each in asked if each.exemplar} == {"Events at the source"}
    assert [each.expr for each in asked if each.exemplar and "bucket" in each.expr] == [
        'sum(rate(graphql_latency_bucket{job="checkout",le="0.35"}[300s]))'
    ]


def test_queries_that_are_more_than_a_selector_are_drawn_as_the_rules_count_them() -> None:
    total = 'sum(rate(http_requests_total{job="checkout"}[1m]))'
    indicator = type(ratio())(query(total), query(total.replace("}", ',code=~"5.."}')), None)
    only_selectors = slo_dashboards([slo(indicator=indicator)], DashboardOptions())[1]
    assert "Events at the source" not in only_selectors.json_text
    drawn = [each.expr for each in _queries([slo(indicator=indicator)]) if each.exemplar]
    assert drawn[1] == 'sum (rate(http_requests_total{job="checkout"}[5m])) * 300 / 300'


def test_a_variable_that_is_not_given_is_an_error() -> None:
    shared = slo_dashboards(TOGETHER, DashboardOptions(shared_above=1))[1]
    with pytest.raises(KeyError, match=r"slo|service"):
        queries_of(shared.json_text)


def test_what_did_not_happen_is_marked_by_a_zero_which_grafana_does_not_draw(
    backend: PrometheusBackend, now: datetime
) -> None:
    def marks(name: str) -> dict[str, set[float]]:
        asked = [each for each in _queries([slo(name, text="x")]) if each.place is Place.ANNOTATION]
        hours = now - timedelta(hours=2)
        return {
            each.title: {value for one in backend.query_range(each.expr, hours, now, MINUTE) for _, value in one.points}
            for each in asked
        }

    assert marks("unheard-of")["Pages"] == {0.0}
    happened = marks("checkout")
    assert max(happened["Pages"]) > 0
    assert happened["Deployments"] == {0.0, 1.0}
