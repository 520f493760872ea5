from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from controlplane import conventions
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.exposition import Exposition
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.shapes import Effect
from flyball.demo.platform.simulation import Simulation

SEAM = 29_900_000  # minutes since the epoch: a day in November 2026
DAY = 1440
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def simulated(*, seed: int = 3, days: int = 3, seam: int = SEAM) -> Simulation:
    return Simulation(INTELGRAPH, seed=seed, start=seam - days * DAY, seam=seam)


@cache
def a_month() -> Simulation:
    return simulated(days=30)


def moment(seconds_after_seam: float) -> datetime:
    return datetime.fromtimestamp(SEAM * 60, UTC) + timedelta(seconds=seconds_after_seam)


def live_counts(platform: LivePlatform, seconds: float) -> np.ndarray:
    return np.concatenate([pod.cells for pod in platform.pods(moment(seconds))])


def column(simulation: Simulation, flow: str, *, bad: bool | None = None) -> np.ndarray:
    """Which cells count events of a flow."""
    wanted = [
        2 * number + is_bad
        for number, stream in enumerate(simulation.traffic.streams)
        for is_bad in (False, True)
        if stream.flow.name == flow and bad in (None, is_bad)
    ]
    return np.isin(np.concatenate([layout.columns for layout in simulation.layouts]), wanted)


def test_the_same_seed_gives_the_same_month_and_another_seed_another_one() -> None:
    first, again, other = (simulated(seed=seed).counts(SEAM - 90, 60) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_counts_do_not_depend_on_how_the_time_is_cut() -> None:
    simulation = simulated()
    whole = simulation.counts(SEAM - 150, 150)
    parts = np.concatenate([simulation.counts(SEAM - 150, 7), simulation.counts(SEAM - 143, 143)])
    assert (whole == parts).all()


def test_counters_only_fall_when_a_pod_starts_and_then_to_zero() -> None:
    simulation = simulated(days=10)
    previous: dict[int, tuple[str, int, np.ndarray]] = {}
    resets = 0
    for chunk in simulation.history():
        for run in chunk.runs:
            values = chunk.values[run.low : run.high, simulation.slot_cells(run.slot)]
            assert (np.diff(values, axis=0) >= 0).all()
            before = previous.get(run.slot)
            if before and before[:2] == (run.life.pod, run.life.start):
                assert (values[0] >= before[2]).all()
            else:
                assert (values[0] == 0).all()
                resets += before is not None
            previous[run.slot] = (run.life.pod, run.life.start, values[-1])
    assert resets > 16


def test_pods_are_replaced_and_containers_restart_within_the_month() -> None:
    past = [life for slot in a_month().slots for life in slot.lives if life.end < SEAM]
    assert sum(life.replaced for life in past) > 30
    assert sum(not life.replaced for life in past) > 10
    assert len({life.pod for life in past}) == len({(life.pod, life.version) for life in past})


def test_live_counters_start_exactly_where_the_history_ends() -> None:
    simulation = simulated()
    *_, last = simulation.history()
    assert (live_counts(LivePlatform(simulation, ()), 0) == last.values[-1]).all()


def test_live_counters_go_on_as_the_history_would_have() -> None:
    later = 3 * 60
    long = Simulation(INTELGRAPH, seed=3, start=SEAM - DAY, seam=SEAM)
    platform = LivePlatform(long, ())
    for seconds in range(0, later * 60, 1237):
        platform.pods(moment(seconds))
    expected = long.at_seam()[0] + long.counts(SEAM, later).sum(axis=0)
    platform.pods(moment(later * 60))
    assert (platform._totals == expected).all()


def test_looking_often_or_seldom_gives_the_same_counts() -> None:
    simulation = simulated(days=1)
    often, seldom = LivePlatform(simulation, ()), LivePlatform(simulation, ())
    seen = [live_counts(often, seconds) for seconds in range(1, 600, 7)]
    assert all((after >= before).all() for before, after in pairwise(seen))
    assert (live_counts(often, 600) == live_counts(seldom, 600)).all()


def test_the_gateway_never_rests_below_three_fifths_of_its_mean() -> None:
    simulation = a_month()
    requests = column(simulation, "gateway.requests")
    traffic = np.concatenate(
        [simulation.counts(first, DAY)[:, requests].sum(axis=1) for first in range(SEAM - 30 * DAY, SEAM, DAY)]
    )
    by_quarter_hours = traffic.reshape(-1, 15).mean(axis=1)
    assert 0.6 <= by_quarter_hours.min() / traffic.mean() < 0.8
    assert by_quarter_hours.max() / traffic.mean() > 1.2


OBJECTIVES = {
    "gateway.requests": 0.999,
    "gateway.reads": 0.95,
    "gateway.writes": 0.95,
    "subscriptions.deliveries": 0.95,
    "subscriptions.messages": 0.999,
    "neo4j.one_hop": 0.95,
    "opa.decisions": 0.95,
    "ingest.processing": 0.95,
    "auth.step_up": 0.99,
    "exports.files": 0.999,
}


def budgets_left(simulation: Simulation) -> Mapping[str, float]:
    cells = sum(simulation.counts(first, DAY).sum(axis=0) for first in range(simulation.start, SEAM, DAY))
    left = {}
    for flow, objective in OBJECTIVES.items():
        bad, every = cells[column(simulation, flow, bad=True)].sum(), cells[column(simulation, flow)].sum()
        left[flow] = 1 - bad / every / (1 - objective)
    return left


def test_after_a_month_budgets_are_untouched_half_spent_nearly_gone_and_overspent() -> None:
    left = budgets_left(a_month())
    assert any(value > 0.9 for value in left.values())
    assert any(0.4 < value < 0.65 for value in left.values())
    assert any(0 < value < 0.25 for value in left.values())
    assert any(value < 0 for value in left.values())


@pytest.mark.parametrize("offset", range(0, 30, 5))
def test_the_last_days_are_quiet_whenever_the_demo_starts(offset: int) -> None:
    seam = SEAM + offset * DAY // 3
    simulation = simulated(days=3, seam=seam)
    cells = simulation.counts(seam - 6 * 60, 6 * 60).sum(axis=0)
    for flow, objective in OBJECTIVES.items():
        bad, every = cells[column(simulation, flow, bad=True)].sum(), cells[column(simulation, flow)].sum()
        assert bad / every / (1 - objective) < 1, flow


def test_an_outage_fails_every_request_until_it_is_healed() -> None:
    broken = LivePlatform(simulated(days=1), INTELGRAPH.faults)
    good, bad = (column(simulated(days=1), "gateway.requests", bad=side) for side in (False, True))
    begun = live_counts(broken, 90)
    assert broken.break_("outage", moment(90))
    assert broken.break_("outage", moment(91)) is False
    during = live_counts(broken, 210) - begun
    assert during[good].sum() <= good.sum()  # what was begun in the fault's first minute
    assert during[bad].sum() > 1000
    assert list(broken.broken()) == ["outage"]
    assert broken.heal("outage", moment(210))
    before = live_counts(broken, 240)
    after = live_counts(broken, 360) - before
    assert after[bad].sum() < 0.01 * after[good].sum()
    assert broken.broken() == {}


def test_an_effect_may_touch_one_tenant_only() -> None:
    simulation = simulated(days=1)
    effect = Effect("gateway.requests", 1.0, tenant="beta")
    quiet, touched = simulation.counts(SEAM, 5), simulation.counts(SEAM, 5, (effect,))
    changed = (quiet != touched).any(axis=0)
    streams = np.concatenate([layout.columns for layout in simulation.layouts])[changed] // 2
    assert {simulation.traffic.streams[i].tenant.name for i in streams} == {"beta"}  # type: ignore[union-attr]


def exposed(platform: LivePlatform, seconds: float, exposition: Exposition) -> dict[str, Metric]:
    body, content_type = exposition.render(
        platform.pods(moment(seconds)), OPENMETRICS, at_seconds=moment(seconds).timestamp(), named=True
    )
    assert content_type.startswith("application/openmetrics-text")
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


def test_the_exposition_is_openmetrics_with_trace_ids_inside_their_buckets() -> None:
    platform = LivePlatform(simulated(days=1), INTELGRAPH.faults)
    families = exposed(platform, 30, Exposition())
    assert families["http_requests"].type == "counter"
    assert families["graphql_latency"].type == "histogram"
    assert families[conventions.BUILD_INFO].type == "gauge"
    borne = [sample for family in families.values() for sample in family.samples if sample.exemplar]
    assert {sample.name for sample in borne} >= {"http_requests_total", "graphql_latency_bucket"}
    for sample in borne:
        assert len(sample.exemplar.labels["trace_id"]) == 32
    for sample in borne:
        if sample.name == "graphql_latency_bucket":
            assert sample.exemplar.value <= float(sample.labels["le"])


def test_an_exemplar_stays_until_its_series_counts_again() -> None:
    platform, exposition = LivePlatform(simulated(days=1), INTELGRAPH.faults), Exposition()

    def exemplar(seconds: float) -> object:
        rtbf = exposed(platform, seconds, exposition)["graphql_latency"].samples
        sample = next(one for one in rtbf if one.labels["operation"] == "read" and one.labels["le"] == "0.1")
        return sample.exemplar

    assert exemplar(30) == exemplar(30)
    assert exemplar(30) != exemplar(45)


def test_every_bucket_that_the_objectives_name_is_there() -> None:
    families = exposed(LivePlatform(simulated(days=1), ()), 1, Exposition())
    for family, bound in [
        ("graphql_latency", "0.35"),
        ("graphql_latency", "0.7"),
        ("subscription_delivery_seconds", "0.25"),
        ("neo4j_query_duration_seconds", "0.3"),
        ("opa_decision_duration_seconds", "0.025"),
        ("ingest_processing_duration_seconds", "0.1"),
    ]:
        assert any(sample.labels.get("le") == bound for sample in families[family].samples), family
