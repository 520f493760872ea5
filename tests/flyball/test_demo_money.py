"""What the simulated platform costs: the figures that budgets, prices and cost files of the example are made for."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from flyball.demo.platform import infrastructure
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.costly import EGRESS_USD, TOKEN_USD, TOKENS
from flyball.demo.platform.exposition import Exposition
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.simulation import Simulation

SEAM = 29_900_000  # minutes since the epoch: a day in November 2026
DAY = 1440
MONTH = 30 * DAY
USD_A_TOKEN = {key: float(price) for key, price in TOKEN_USD.items()}
USD_A_BYTE = float(EGRESS_USD)


@cache
def simulated(days: int) -> Simulation:
    return Simulation(INTELGRAPH, seed=3, start=SEAM - days * DAY, seam=SEAM)


@cache
def expected(first: int, minutes: int) -> Mapping[str, np.ndarray]:
    """Units a minute of every flow, without noise; flows that know tenants added up."""
    traffic = simulated(1).traffic
    good, bad = traffic.per_minute(first, np.zeros((minutes, 2, len(traffic.streams))))
    flows: dict[str, np.ndarray] = {}
    for number, stream in enumerate(traffic.streams):
        flows[stream.flow.name] = flows.get(stream.flow.name, 0) + good[:, number] + bad[:, number]
    return flows


def llm_usd(first: int, minutes: int) -> np.ndarray:
    """USD a minute."""
    total = np.zeros(minutes)
    for flow in INTELGRAPH.flows:
        if flow.metric == TOKENS:
            labels = dict(flow.labels)
            price = USD_A_TOKEN[labels["gen_ai_request_model"], labels["gen_ai_token_type"]]
            total += price * expected(first, minutes)[flow.name]
    return total


def nodes_usd(first: int, minutes: int) -> np.ndarray:
    times = np.arange(first, first + minutes, dtype=np.int64)
    return sum(node.alive(times) * node.pool.hourly_usd / 60 for node in simulated(1).infrastructure.nodes)


def egress_usd(first: int, minutes: int) -> np.ndarray:
    flows = [flow.name for flow in INTELGRAPH.flows if flow.metric == "network_transmit_bytes_total"]
    return USD_A_BYTE * sum(expected(first, minutes)[name] for name in flows)


def test_a_quiet_month_stays_within_both_budgets_and_comes_near_them() -> None:
    assert 15_000 <= (nodes_usd(SEAM - MONTH, MONTH) + egress_usd(SEAM - MONTH, MONTH)).sum() <= 16_000
    assert 4_000 <= llm_usd(SEAM - MONTH, MONTH).sum() <= 4_400


def test_a_million_calls_of_the_gateway_cost_less_than_two_dollars() -> None:
    calls = expected(SEAM - MONTH, MONTH)["gateway.requests"].sum()
    egress = USD_A_BYTE * expected(SEAM - MONTH, MONTH)["graphql-gateway.egress"].sum()
    pool = next(pool for pool in INTELGRAPH.pools if pool.name == "general")
    on_it = {one.name: one.pods * one.size.cores for one in INTELGRAPH.services if one.size.pool == pool.name}
    with_idle = pool.nodes * pool.hourly_usd * MONTH / 60 * on_it["graphql-gateway"] / sum(on_it.values())
    assert 1 < (egress + with_idle) / (calls / 1e6) < 2


def test_pods_fit_on_the_nodes_of_their_pool() -> None:
    for node in simulated(1).infrastructure.nodes:
        pods = simulated(1).infrastructure.pods_of(node)
        assert sum(service.size.cores for service in pods) <= node.pool.cores
        assert sum(service.size.memory_gib for service in pods) <= node.pool.memory_gib


def test_an_incident_and_deployments_show_in_what_the_tokens_cost() -> None:
    quiet = llm_usd(SEAM - round(15.9 * DAY), 60).sum()
    incident = llm_usd(SEAM - round(15.4 * DAY) + 60, 60).sum()
    assert incident > 3 * quiet
    before, after = (expected(SEAM - round(days * DAY), 60) for days in (11.7, 11.5))
    assert after["enrichment.input_tokens"].sum() == pytest.approx(1.22 * before["enrichment.input_tokens"].sum())
    week = 7 * DAY
    then, now = (expected(SEAM - days, 60)["assistant.input_tokens"].sum() for days in (week, 0))
    assert now == pytest.approx(0.84 * then, rel=0.2)


def test_forgotten_nodes_cost_for_a_day_and_are_gone() -> None:
    graph = [node for node in simulated(1).infrastructure.nodes if node.pool.name == "graph"]
    days = [
        sum(node.alive(np.array([SEAM - round(ago * DAY)])).sum() for node in graph) for ago in (11.3, 11.1, 10.5, 10.3)
    ]
    assert days == [2, 4, 4, 2]


def test_the_last_days_are_quiet_in_money_too() -> None:
    hours = (nodes_usd(SEAM - 3 * DAY, 3 * DAY) + llm_usd(SEAM - 3 * DAY, 3 * DAY)).reshape(-1, 60).sum(axis=1)
    assert hours.max() < 2 * hours.mean()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(60 * SEAM, UTC) + timedelta(seconds=seconds)


def exposed(platform: LivePlatform, seconds: float) -> dict[str, Metric]:
    at = moment(seconds)
    body, _ = Exposition().render(
        platform.pods(at),
        "application/openmetrics-text; version=1.0.0",
        at_seconds=at.timestamp(),
        named=True,
        gauges=platform.gauges(at),
    )
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


def test_tokens_are_a_summary_of_tokens_and_calls_by_model_tenant_and_service() -> None:
    family = exposed(LivePlatform(simulated(1), ()), 30)[TOKENS]
    assert family.type == "summary"
    assert {sample.name for sample in family.samples} == {f"{TOKENS}_sum", f"{TOKENS}_count"}
    assert {sample.labels["service"] for sample in family.samples} == {"assistant", "enrichment"}
    assert {sample.labels["tenant"] for sample in family.samples} == {tenant.name for tenant in INTELGRAPH.tenants}
    totals: dict[str, float] = {}
    for sample in family.samples:
        key = f"{sample.name} {sample.labels['service']} {sample.labels['gen_ai_token_type']}"
        totals[key] = totals.get(key, 0) + sample.value
    calls = {totals[f"{TOKENS}_count assistant {kind}"] for kind in ("input", "output")}
    assert max(calls) / min(calls) == pytest.approx(1, abs=0.2)


def test_every_pod_runs_on_a_node_that_costs_something() -> None:
    families = exposed(LivePlatform(simulated(1), ()), 30)
    nodes = {sample.labels["node"] for sample in families[infrastructure.NODE_COST].samples}
    pods = {sample.labels["pod"]: sample.labels["node"] for sample in families[infrastructure.POD_INFO].samples}
    assert set(pods.values()) <= nodes
    assert pods.keys() == {sample.labels["pod"] for sample in families["build_info"].samples}


def test_the_fault_cost_multiplies_tokens_and_rows_and_heals() -> None:
    platform = LivePlatform(simulated(1), INTELGRAPH.faults)

    def usd(seconds: float) -> float:
        return sum(
            sample.value * USD_A_TOKEN[sample.labels["gen_ai_request_model"], sample.labels["gen_ai_token_type"]]
            for sample in exposed(platform, seconds)[TOKENS].samples
            if sample.name.endswith("_sum")
        )

    start, quiet = usd(0), usd(60)
    assert platform.break_("cost", moment(60))
    broken = usd(120)
    assert platform.heal("cost", moment(120))
    healed = usd(180)
    assert broken - quiet > 50 * (quiet - start)
    assert healed - broken == pytest.approx(quiet - start, rel=0.2)


def test_the_history_of_a_node_that_is_switched_off_ends_with_a_mark() -> None:
    weekend = 29_900_000 // DAY * DAY  # midnight: two nodes of the pool `batch` are off
    while (weekend // DAY + 3) % 7 != 0:  # a Monday
        weekend -= DAY
    batch = [node for node in simulated(1).infrastructure.nodes if node.pool.name == "batch"]
    minutes = np.arange(weekend, weekend + DAY)
    assert [int(node.alive(minutes).sum()) for node in batch] == [14 * 60, 14 * 60]
    assert not batch[0].alive(minutes - DAY).any()
