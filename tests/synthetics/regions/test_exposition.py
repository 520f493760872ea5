"""Checks on /metrics."""

import subprocess
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_plain

from controlplane.model.check import CheckKind, CheckResult, CheckSample, Outcome, Timing
from controlplane.ports import Transient
from controlplane.store import SqlStore
from synthetics.regions.daemon import Judging
from synthetics.regions.exposition import CheckExposition
from synthetics.regions.model import Region, Watch, Watched
from tests.contracts.checking import NOON, failed, head, result
from tests.synthetics.regions.reporting import Simulated

SECONDS = timedelta(seconds=1)
WATCH = Watch(
    (
        Watched("gateway", CheckKind.PROBE, 30 * SECONDS),
        Watched("sign-in", CheckKind.JOURNEY, 300 * SECONDS),
    ),
    (Region("eu"), Region("us")),
)
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def take(store: SqlStore, number: int, *results: CheckResult, region: str = "eu") -> None:
    with store.transaction() as transaction:
        transaction.checks.take(head(number, region=region, buffered=3), results, NOON + 31 * SECONDS)


def exposed(store: SqlStore, after: float = 60) -> CheckExposition:
    return CheckExposition(store, lambda: WATCH, Simulated(NOON + after * SECONDS))


def own(openmetrics: bool) -> bytes:
    registry = CollectorRegistry()
    Gauge("flyball_leader", "1 while this replica holds the lease.", registry=registry)
    return generate_openmetrics(registry) if openmetrics else generate_latest(registry)


def read(exposition: CheckExposition) -> dict[str, Metric]:
    body = exposition.joined(own(openmetrics=True), OPENMETRICS).decode()
    return {family.name: family for family in read_openmetrics(body)}


def values(families: dict[str, Metric], name: str) -> dict[tuple[str, ...], float]:
    """By the values of the labels."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    return {tuple(sample.labels.values()): sample.value for sample in samples}


JOURNEY = result(
    0, kind=CheckKind.JOURNEY, check="sign-in", duration_seconds=4.5, samples=(),
    timings=(Timing("open", 1.0), Timing("write", 2.0), Timing("write", 9.0)),
)  # fmt: skip


def test_the_latest_results_are_gauges_under_their_own_names(store: SqlStore) -> None:
    take(store, 1, result(0), failed(30, duration_seconds=0.5), JOURNEY)
    take(store, 1, result(0, region="us"), region="us")
    found = read(exposed(store))
    assert values(found, "probe_success") == {("gateway", "eu"): 0.0, ("gateway", "us"): 1.0}
    assert values(found, "probe_duration_seconds") == {("gateway", "eu"): 0.5, ("gateway", "us"): 0.25}
    assert values(found, "probe_http_status_code")["gateway", "us"] == 200.0
    assert values(found, "probe_x") == {("gateway", "eu", 'ü "b"'): 1.5, ("gateway", "us", 'ü "b"'): 1.5}
    assert values(found, "journey_success") == {("sign-in", "eu"): 1.0}
    assert values(found, "journey_step_duration_seconds") == {
        ("sign-in", "eu", "open"): 1.0,
        ("sign-in", "eu", "write"): 2.0,
    }
    assert values(found, "flyball_check_interval_seconds") == {
        ("probe", "gateway"): 30.0,
        ("journey", "sign-in"): 300.0,
    }
    assert (
        values(found, "flyball_check_last_run_timestamp_seconds")["probe", "gateway", "eu"]
        == (NOON + 30 * SECONDS).timestamp()
    )
    assert values(found, "flyball_region_buffered_results") == {("eu",): 3.0, ("us",): 3.0}
    assert "flyball_leader" in found


def test_what_is_older_than_three_intervals_is_not_said_any_more(store: SqlStore) -> None:
    take(store, 1, result(0), JOURNEY)
    exposition = exposed(store, 120)
    assert values(read(exposition), "probe_success") == {("gateway", "eu"): 1.0}
    exposition._clock.time = NOON + 121 * SECONDS  # type: ignore[attr-defined]
    found = read(exposition)
    assert "probe_success" not in found
    assert values(found, "journey_success") == {("sign-in", "eu"): 1.0}
    assert values(found, "flyball_check_runs_total")["probe", "gateway", "eu", "ok"] == 1.0
    take(store, 2, failed(120))
    assert values(read(exposition), "probe_success") == {("gateway", "eu"): 0.0}


def test_a_fault_of_the_prober_is_no_failure_of_the_target(store: SqlStore) -> None:
    take(store, 1, result(0), result(30, outcome=Outcome.FAULT))
    found = read(exposed(store))
    assert "probe_success" not in found
    assert values(found, "flyball_check_runs_total") == {
        ("probe", "gateway", "eu", "ok"): 1.0,
        ("probe", "gateway", "eu", "failed"): 0.0,
        ("probe", "gateway", "eu", "fault"): 1.0,
    }


def test_counters_and_buckets_name_the_trace_of_the_latest_run(store: SqlStore) -> None:
    take(store, 1, result(0, trace_id="a" * 32), result(30, trace_id="b" * 32, duration_seconds=0.3))
    found = read(exposed(store))
    traced = [
        (sample.name, sample.labels.get("le", ""), sample.exemplar)
        for family in found.values()
        for sample in family.samples
        if sample.exemplar
    ]
    assert [(name, bound, exemplar.labels["trace_id"][0], exemplar.value) for name, bound, exemplar in traced] == [
        ("flyball_check_runs_total", "", "b", 0.3),
        ("flyball_check_run_duration_seconds_bucket", "0.5", "b", 0.3),
    ]
    (_, _, exemplar) = traced[0]
    assert abs(float(exemplar.timestamp) - (NOON + 30 * SECONDS).timestamp()) < 0.001
    buckets = values(found, "flyball_check_run_duration_seconds_bucket")
    assert [count for labels, count in buckets.items()] == [0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert values(found, "flyball_check_run_duration_seconds_sum") == {("probe", "gateway", "eu"): 0.55}


def test_verdicts_and_states_are_said(store: SqlStore) -> None:
    take(store, 1, failed(0), failed(2), result(0, kind=CheckKind.SELF_CHECK, check="eu"))
    Judging(store, lambda: WATCH).run_once(NOON + 33 * SECONDS)
    found = read(exposed(store))
    stands = {
        labels[2]
        for labels, value in values(found, "flyball_check_verdict").items()
        if value and labels[1] == "gateway"
    }
    assert stands == {"regional"}
    assert {labels[1:] for labels in values(found, "flyball_check_region_state") if labels[1] == "gateway"} == {
        ("gateway", "eu", "down"),
        ("gateway", "us", "pending"),
    }
    assert values(found, "flyball_region_self_check_success") == {("eu",): 1.0}
    assert values(found, "flyball_check_runs_total")["self-check", "eu", "eu", "ok"] == 1.0
    assert {labels[0] for labels in values(found, "flyball_check_verdict")} == {"probe", "journey"}


def test_only_what_is_declared_is_said_and_nothing_that_could_be_ours(store: SqlStore) -> None:
    odd = (
        CheckSample("flyball_leader", 7.0), CheckSample("probe_success", 7.0), CheckSample("probe_x_total", 7.0),
        CheckSample("probe_y", 1.0, (("region", "mars"), ("probe", "z"))), CheckSample("probe_y", 2.0),
    )  # fmt: skip
    take(store, 1, result(0, check="undeclared"), result(0, samples=odd))
    found = read(exposed(store))
    assert values(found, "probe_success") == {("gateway", "eu"): 1.0}
    assert values(found, "probe_y") == {("gateway", "eu"): 1.0}
    assert values(found, "flyball_leader") == {(): 0.0}
    assert "undeclared" not in str(found)


def test_while_the_store_does_not_answer_nothing_is_said() -> None:
    class Away:
        def transaction(self, **_options: object) -> object:
            raise Transient("away")

    exposition = CheckExposition(Away(), lambda: WATCH, Simulated())  # type: ignore[arg-type]
    assert exposition.joined(own(openmetrics=True), OPENMETRICS) == own(openmetrics=True)
    assert exposition.joined(own(openmetrics=False), PLAIN) == own(openmetrics=False)


def test_prometheus_takes_both_formats(store: SqlStore, promtool: str) -> None:
    take(store, 1, result(0), JOURNEY, failed(1, check="gateway"))
    Judging(store, lambda: WATCH).run_once(NOON + 33 * SECONDS)
    body = exposed(store).joined(own(openmetrics=False), PLAIN)
    checked = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, check=False)
    assert b"error" not in checked.stderr, checked.stderr
    plain = {family.name: len(family.samples) for family in read_plain(body.decode())}
    assert plain == {name: len(family.samples) for name, family in read(exposed(store)).items()}
