"""What /metrics says of deliveries, from a real store."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from controlplane import delivery_names as names
from controlplane.model.delivery import CounterRow, Deployment, DeploymentKind, DeploymentOutcome, StoredEffect
from controlplane.ports import Transient
from controlplane.store import SqlStore
from exporters.dora.exposition.daemon import FORGOTTEN_AFTER, REMEASURED_AFTER, ExpositionDaemon
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.hand_made import busy, nothing, quiet

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
POLICY = DeliveryPolicy(teams={"checkout": 'the "shop"\nteam'})


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Measure:
    """Stands for what is measured of sheets."""

    def __init__(self, *found: DoraMetrics) -> None:
        self.found: Sequence[DoraMetrics] = found
        self.asked: list[timedelta] = []

    def __call__(self, _: object, start: datetime, end: datetime, policy: DeliveryPolicy, /) -> Sequence[DoraMetrics]:
        self.asked.append(end - start)
        return self.found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def count(name: str, value: int, service: str = "checkout", **labels: str) -> CounterRow:
    exemplar = {"deployment": "/argo#42", "value": "1"} if service == "checkout" else {}
    return CounterRow(name, service, "production", json.dumps(labels, sort_keys=True), Decimal(value), exemplar)


def grow(store: SqlStore, *rows: CounterRow) -> None:
    with store.transaction() as transaction:
        transaction.delivery.add_counters(rows)


def samples(text: bytes) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in openmetrics_families(text.decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(text: bytes, name: str, **labels: str) -> list[float]:
    return [found for each, own, found in samples(text) if each == name and labels.items() <= own.items()]


def test_counters_come_from_the_store_with_exemplars(store: SqlStore, clock: Clock) -> None:
    grow(store, count(names.DEPLOYMENTS, 123), count(names.FAILED_DEPLOYMENTS, 6, reason="incident"))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())
    daemon.refresh(NOW)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    own = {"service": "checkout", "team": 'the "shop"\nteam', "environment": "production"}
    assert value(text, "dora_deployments_total", **own) == [123]
    assert value(text, "dora_failed_deployments_total", reason="incident") == [6]
    (family,) = [each for each in openmetrics_families(text.decode()) if each.name == "dora_deployments"]
    assert family.samples[0].exemplar is not None
    assert family.samples[0].exemplar.labels == {"deployment": "/argo#42"}
    again = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())  # another replica, or after a restart
    again.refresh(NOW)
    assert again.joined(b"# EOF\n", OPENMETRICS) == text


def test_histograms_are_running_sums_up_to_their_count(store: SqlStore, clock: Clock) -> None:
    name = names.LEAD_TIME
    grow(
        store,
        *(count(f"{name}_bucket", each, le=bound) for bound, each in (("14400", 2), ("86400", 5), ("+Inf", 3))),
        count(f"{name}_count", 10),
        count(f"{name}_sum", 500_000),
        count(f"{names.STAGE_TIME}_bucket", 4, stage="review", le="+Inf"),
        count(f"{names.STAGE_TIME}_count", 4, stage="review"),
        count(f"{names.STAGE_TIME}_sum", 900, stage="review"),
    )
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())
    daemon.refresh(NOW)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    assert value(text, f"{name}_bucket") == [0, 2, 2, *[7] * 8, 10]  # buckets that nothing fell into, too
    assert value(text, f"{name}_bucket", le="86400.0") == [7]
    assert (value(text, f"{name}_count"), value(text, f"{name}_sum")) == ([10], [500_000])
    assert value(text, f"{names.STAGE_TIME}_bucket", stage="review", le="+Inf") == [4]


def test_gauges_have_windows_intervals_and_sample_sizes(store: SqlStore, clock: Clock) -> None:
    measure = Measure(busy(), quiet())
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=measure)
    daemon.refresh(NOW)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    assert measure.asked == [timedelta(days=30), timedelta(days=90)]
    own = {"service": "checkout", "window": "90d"}
    assert value(text, "dora_change_lead_time_quantile_seconds", quantile="0.5", **own) == [28 * 3600]
    assert value(text, "dora_change_fail_ratio", **own) == [0.04878]
    assert value(text, "dora_interval", metric="change_fail_rate", bound="upper", **own) == [0.1024]
    assert value(text, "dora_samples", metric="incident_restore_time", **own) == [9]


def test_what_is_not_known_is_absent_and_never_0(store: SqlStore, clock: Clock) -> None:
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure(quiet(), nothing()))
    daemon.refresh(NOW)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    assert value(text, "dora_change_fail_ratio", service="search", window="30d") == [0]  # two went well
    assert value(text, "dora_change_lead_time_quantile_seconds") == []
    assert value(text, "dora_samples", metric="change_lead_time") == []
    assert [own for _, own, _ in samples(text) if own.get("service") == "invoices"] == []


def test_the_version_that_runs_is_the_last_that_went_well(store: SqlStore, clock: Clock) -> None:
    one = Deployment(
        "/argo#1", "checkout", "production", NOW - timedelta(hours=3), DeploymentKind.DEPLOYED, version="1.0"
    )
    broken = replace(one, id="/argo#2", at=NOW - timedelta(hours=1), version="1.1", outcome=DeploymentOutcome.FAILED)
    gone = replace(one, id="/argo#3", service="cart", kind=DeploymentKind.REMOVED)
    effect = StoredEffect(
        one.id, "slo:checkout-availability", "checkout", "production", one.at, "measured", Decimal("0.18"), {}
    )
    with store.transaction() as transaction:
        transaction.delivery.put_deployments([one, broken, gone])
        transaction.delivery.put_effects(
            [effect, replace(effect, subject="unit_cost:order", score=None, state="unknown")]
        )
    grow(store, count(names.DEPLOYMENTS, 2), count(names.DEPLOYMENTS, 1, "cart"))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())
    daemon.refresh(NOW)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    assert [(own["service"], own["version"]) for name, own, _ in samples(text) if name == "dora_deployment_info"] == [
        ("checkout", "1.0")
    ]
    assert value(text, "dora_last_deployment_timestamp_seconds") == [one.at.timestamp()]
    assert value(text, "dora_deployment_effect_budget_ratio", slo="checkout-availability", version="1.0") == [0.18]
    assert value(text, "dora_deployment_effect_unit_cost_ratio") == []


def test_of_many_services_the_busiest_are_said_and_the_rest_is_counted(
    store: SqlStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    grow(store, *(count(names.DEPLOYMENTS, at, f"s{at}") for at in range(1, 6)))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure(), most_shown=3)
    with caplog.at_level(logging.WARNING):
        assert (daemon.refresh(NOW).shown, daemon.refresh(NOW).hidden) == (3, 2)
    text = daemon.joined(b"# EOF\n", OPENMETRICS)
    assert [own["service"] for name, own, _ in samples(text) if name == "dora_deployments_total"] == ["s3", "s4", "s5"]
    assert value(text, names.SERVICES_HIDDEN) == [2]
    assert [each.message for each in caplog.records] == ["dora.services_hidden"]  # once


def test_a_service_with_too_many_environments_hides_itself_and_no_others(store: SqlStore, clock: Clock) -> None:
    previews = [replace(count(names.DEPLOYMENTS, 9, "shop"), environment=f"pr-{at}") for at in range(4)]
    grow(store, *previews, count(names.DEPLOYMENTS, 1, "cart"))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure(), most_shown=3)
    assert (daemon.refresh(NOW).shown, daemon.refresh(NOW).hidden) == (1, 4)
    assert value(daemon.joined(b"# EOF\n", OPENMETRICS), "dora_deployments_total", service="cart") == [1]


def test_plain_text_has_no_exemplars_and_follows_what_was_there(store: SqlStore, clock: Clock) -> None:
    grow(store, count(names.DEPLOYMENTS, 123))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure(busy()))
    daemon.refresh(NOW)
    text = daemon.joined(b"# TYPE up gauge\nup 1\n", "text/plain; version=0.0.4").decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {"up", "dora_deployments", "dora_samples"} <= families.keys()
    assert " # {" not in text
    assert "# EOF" not in text


def test_windows_are_measured_again_when_something_came_or_after_a_while(store: SqlStore, clock: Clock) -> None:
    measure = Measure(busy())
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=measure)
    turns = [daemon.refresh(NOW).was_measured, daemon.refresh(NOW + timedelta(seconds=30)).was_measured]
    grow(store, count(names.DEPLOYMENTS, 1))
    turns.append(daemon.refresh(NOW + timedelta(seconds=60)).was_measured)
    turns.append(daemon.refresh(NOW + timedelta(seconds=60) + REMEASURED_AFTER).was_measured)
    assert turns == [True, False, True, True]


def test_measuring_that_takes_long_is_not_done_all_the_time_and_counters_do_not_wait(
    store: SqlStore, clock: Clock
) -> None:
    class Slow(Measure):
        def __call__(self, *asked: object) -> Sequence[DoraMetrics]:  # type: ignore[override]
            clock.at += timedelta(seconds=2)
            return super().__call__(*asked)  # type: ignore[arg-type]

    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Slow(busy()))
    daemon.refresh(NOW)  # four seconds
    grow(store, count(names.DEPLOYMENTS, 5))
    assert not daemon.refresh(NOW + timedelta(seconds=79)).was_measured
    assert value(daemon.joined(b"# EOF\n", OPENMETRICS), "dora_deployments_total") == [5]
    assert daemon.refresh(NOW + timedelta(seconds=80)).was_measured


def test_without_a_store_nothing_old_is_said_for_long(store: SqlStore, clock: Clock) -> None:
    grow(store, count(names.DEPLOYMENTS, 123))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())
    assert daemon.joined(b"# EOF\n", OPENMETRICS) == b"# EOF\n"  # before the first turn
    daemon.refresh(NOW)
    store.close()
    clock.at += FORGOTTEN_AFTER
    assert value(daemon.joined(b"# EOF\n", OPENMETRICS), "dora_deployments_total") == [123]
    clock.at += timedelta(seconds=1)
    assert daemon.joined(b"# EOF\n", OPENMETRICS) == b"# EOF\n"


def test_a_long_exemplar_is_left_out_and_not_cut(store: SqlStore, clock: Clock) -> None:
    row = count(names.DEPLOYMENTS, 1)
    grow(store, replace(row, exemplar={"deployment": "x" * 200}))
    daemon = ExpositionDaemon(store, lambda: POLICY, clock, measure=Measure())
    daemon.refresh(NOW)
    assert b" # {" not in daemon.joined(b"# EOF\n", OPENMETRICS)


def test_a_refresh_that_fails_is_the_callers(store: SqlStore, clock: Clock) -> None:
    def fails(*_: object) -> Sequence[DoraMetrics]:
        raise Transient("away")

    with pytest.raises(Transient):
        ExpositionDaemon(store, lambda: POLICY, clock, measure=fails).refresh(NOW)
