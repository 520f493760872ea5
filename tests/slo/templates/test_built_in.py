"""The short forms that come with Flyball: their rules, and what they measure on a real Prometheus."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import snappy

from benchmarks.native_samples import encoded
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.rule import RuleFile, RuleGroup
from controlplane.model.series import Series
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo.indicators.indicator import pair_over_past, rolling_records
from slo.templates import built_in
from tests.slo.templates.writing import exemplary, resolved, use

GOLDEN = Path(__file__).parent / "golden"
NAMES = tuple(built_in())
START = datetime(2026, 3, 1, tzinfo=UTC)
SCRAPE = timedelta(seconds=15)
MINUTES = 40
NATIVE_START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)


@dataclass(frozen=True)
class Truth:
    """Series by selector: counters with their events a minute, gauges with their values before and after minute 20."""

    bad: tuple[float, float]  # the share of bad events then
    counters: Mapping[str, float]
    gauges: Mapping[str, tuple[float, float]]


def histogram(base: str, labels: str, le: str, within: float, every: float) -> Truth:
    return Truth(
        ((every - within) / every,) * 2,
        {f'{base}_bucket{{{labels},le="{le}"}}': within, f"{base}_count{{{labels}}}": every},
        {},
    )


OLD = START.timestamp() + 20 * 60 - 26 * 3600  # 26 hours old in minute 20
TRUTHS = {
    "http-availability": Truth(
        (0.1, 0.1),
        {
            'http_requests_total{job="checkout",code="200"}': 90,
            'http_requests_total{job="checkout",code="503"}': 10,
            'http_requests_total{job="other",code="500"}': 1000,
        },
        {},
    ),
    "http-latency": histogram("http_request_duration_seconds", 'job="checkout"', "0.3", 80, 100),
    "grpc-availability": Truth(
        (0.25, 0.25),
        {
            'grpc_server_handled_total{job="inventory",grpc_code="OK"}': 60,
            'grpc_server_handled_total{job="inventory",grpc_code="NotFound"}': 15,
            'grpc_server_handled_total{job="inventory",grpc_code="Unavailable"}': 20,
            'grpc_server_handled_total{job="inventory",grpc_code="Internal"}': 5,
        },
        {},
    ),
    "grpc-latency": histogram("grpc_server_handling_seconds", 'job="inventory",grpc_type="unary"', "0.25", 99, 100),
    "envoy-availability": Truth(
        (0.05, 0.05),
        {
            'envoy_cluster_upstream_rq_xx{envoy_cluster_name="checkout",envoy_response_code_class="2"}': 90,
            'envoy_cluster_upstream_rq_xx{envoy_cluster_name="checkout",envoy_response_code_class="4"}': 5,
            'envoy_cluster_upstream_rq_xx{envoy_cluster_name="checkout",envoy_response_code_class="5"}': 5,
        },
        {},
    ),
    "envoy-latency": histogram("envoy_cluster_upstream_rq_time", 'envoy_cluster_name="checkout"', "250", 50, 100),
    "istio-availability": Truth(
        (0.02, 0.02),
        {
            f'istio_requests_total{{destination_canonical_service="checkout",destination_workload_namespace="shop",'
            f'reporter="{reporter}",response_code="{code}"}}': events
            for reporter, code, events in (("destination", "200", 98), ("destination", "503", 2), ("source", "503", 50))
        },
        {},
    ),
    "istio-latency": histogram(
        "istio_request_duration_milliseconds",
        'destination_canonical_service="checkout",destination_workload_namespace="shop",reporter="destination"',
        "250",
        90,
        100,
    ),
    "graphql-availability": Truth(
        (0.04, 0.04),
        {
            'hasura_graphql_requests_total{job="graphql",operation_type="query",response_status="success"}': 96,
            'hasura_graphql_requests_total{job="graphql",operation_type="query",response_status="failed"}': 4,
        },
        {},
    ),
    "graphql-latency": histogram(
        "hasura_graphql_execution_time_seconds", 'job="graphql",operation_type="query"', "0.3", 70, 100
    ),
    "kafka-consumer-lag": Truth(
        (0, 1),
        {},
        {
            'kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="0"}': (10, 10),
            'kafka_consumergroup_lag{consumergroup="billing",topic="orders",partition="1"}': (1000, 1001),
            'kafka_consumergroup_lag{consumergroup="other",topic="orders",partition="0"}': (9999, 0),
        },
    ),
    "batch-freshness": Truth(
        (0, 1),
        {},
        {'kube_cronjob_status_last_successful_time{namespace="billing",cronjob="invoices"}': (OLD, OLD)},
    ),
    "probe-success": Truth(
        (0.5, 0),
        {},
        {
            'probe_success{job="blackbox",instance="https://shop.example",region="eu"}': (1, 1),
            'probe_success{job="blackbox",instance="https://shop.example",region="us"}': (0, 1),
            'probe_success{job="blackbox",instance="https://other.example",region="us"}': (0, 0),
        },
    ),
    "probe-availability": Truth(
        (0.1, 0.1),
        {
            f'flyball_check_runs_total{{kind="{kind}",check="gateway-health",'
            f'region="{region}",outcome="{outcome}"}}': runs
            for kind, region, outcome, runs in (
                ("probe", "eu", "ok", 2),
                ("probe", "eu", "failed", 0.2),
                ("probe", "us", "ok", 1.6),
                ("probe", "us", "failed", 0.2),
                ("probe", "us", "fault", 5),
                ("journey", "us", "failed", 5),
            )
        },
        {},
    ),
    "journey-availability": Truth(
        (0.25, 0.25),
        {
            f'flyball_check_runs_total{{kind="journey",check="{check}",region="eu",outcome="{outcome}"}}': runs
            for check, outcome, runs in (
                ("core-flow", "ok", 0.6),
                ("core-flow", "failed", 0.2),
                ("core-flow", "fault", 1),
                ("other", "failed", 5),
            )
        },
        {},
    ),
    "otel-spans-availability": Truth(
        (0.125, 0.125),
        {
            f'traces_span_metrics_calls_total{{service_name="checkout",span_kind="SPAN_KIND_{kind}",'
            f'status_code="STATUS_CODE_{status}"}}': events
            for kind, status, events in (
                ("SERVER", "UNSET", 60),
                ("CONSUMER", "OK", 10),
                ("SERVER", "ERROR", 10),
                ("CLIENT", "ERROR", 99),
            )
        },
        {},
    ),
    "otel-spans-latency": histogram(
        "traces_span_metrics_duration_milliseconds",
        'service_name="checkout",span_kind="SPAN_KIND_SERVER"',
        "400",
        9,
        10,
    ),
    "otel-spans-latency-seconds": histogram(
        "traces_span_metrics_duration_seconds", 'service_name="checkout",span_kind="SPAN_KIND_SERVER"', "0.4", 9, 10
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_golden_rules_of_each_short_form(name: str) -> None:
    rules = tuple(rolling_records(exemplary(name)))  # all that depends on the form; the rest reads what these record
    text = to_yaml(RuleFile(name, (RuleGroup(name, timedelta(minutes=1), rules),)))
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("FLYBALL_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(NAMES)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    with servers.prometheus(
        tmp_path_factory.mktemp("prometheus"), out_of_order="3650d", retention="3650d", block_duration="720h",
        features=["native-histograms"],
    ) as server:  # fmt: skip
        with RemoteWriter(server.url) as writer:
            writer.write([series for truth in TRUTHS.values() for series in _series(truth)])
        _write_native(server.url)
        adapter = PrometheusBackend(server.url)
        yield adapter
        adapter.close()


@pytest.mark.parametrize("name", TRUTHS)
def test_each_measures_what_was_generated(name: str, backend: PrometheusBackend) -> None:
    pair = pair_over_past(exemplary(name))
    for minute, bad in zip((15, 35), TRUTHS[name].bad, strict=True):
        at = START + timedelta(minutes=minute)
        (every,), (wrong,) = backend.query(pair.all, at), backend.query(pair.bad, at)
        assert every.value > 0
        assert wrong.value / every.value == pytest.approx(bad, abs=1e-9), name


def test_a_native_histogram_is_measured_at_any_threshold(backend: PrometheusBackend) -> None:
    pair = pair_over_past(exemplary("http-latency-native"))
    at = NATIVE_START + timedelta(minutes=15)
    (every,), (slow,) = backend.query(pair.all, at), backend.query(pair.bad, at)
    assert every.value > 0
    assert slow.value / every.value == pytest.approx(0.3)


def test_every_short_form_is_measured() -> None:
    assert set(NAMES) - set(TRUTHS) == {"http-latency-native"}


def test_parameters_fit_a_short_form_to_other_instrumentation() -> None:
    text = use(
        "graphql-availability", selector={"job": "yoga"}, requests="graphql_envelop_request",
        errors="graphql_envelop_error_result", error_selector="",
    )  # fmt: skip
    (slo,) = resolved(text).slos
    assert slo.indicator.bad.text == 'graphql_envelop_error_result{job="yoga"}'  # type: ignore[union-attr]


def _write_native(url: str) -> None:
    """7 of 10 requests within 0.25 s, the others within 2 s; samples of histograms must not be old."""
    times = [int((NATIVE_START + number * SCRAPE).timestamp()) for number in range(80)]
    samples = [(at, {-2: 7 * number, 1: 3 * number}) for number, at in enumerate(times, 1)]
    request = encoded({"__name__": "http_request_duration_seconds", "job": "checkout"}, samples)
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    httpx.post(f"{url}/api/v1/write", content=snappy.compress(request), headers=headers).raise_for_status()


def _series(truth: Truth) -> Iterator[Series]:
    moments = [START + number * SCRAPE for number in range(MINUTES * 4)]
    for selector, per_minute in truth.counters.items():
        points = tuple((at, per_minute * (at - START).total_seconds() / 60) for at in moments)
        yield Series(_labels(selector), points)
    for selector, (before, after) in truth.gauges.items():
        half = START + timedelta(minutes=20)
        yield Series(_labels(selector), tuple((at, before if at < half else after) for at in moments))


def _labels(selector: str) -> dict[str, str]:
    name, _, rest = selector.partition("{")
    return {"__name__": name, **dict(re.findall(r'(\w+)="([^"]*)"', rest))}
