"""Caps as Kubernetes objects."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane.model.source import SourcePosition
from finops.caps.manifests import manifests, maxima_in
from finops.caps.model import (
    AutoscalingCap,
    BudgetState,
    FixedPrice,
    PriceOfItem,
    PrometheusTrigger,
    QueriedPrice,
    ResourceTrigger,
    Scaler,
    Target,
)
from finops.caps.replica_prices import known_prices, price_queries
from finops.pricing.model import Item, Price, PriceMap
from tests.finops.caps.reading import BUDGET, GOOD, HPA, declared_in
from tests.finops.caps.schemas import POD_AUTOSCALER, SCALED_OBJECT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = SourcePosition("x.yaml", 1, 1)


def left(remaining: str | None, at: datetime | None = NOW) -> dict[str, BudgetState]:
    known = None if remaining is None else Decimal(remaining)
    return {"infrastructure": BudgetState("USD", known, Decimal(252), at)}


def made(text: str, state: dict[str, BudgetState], **more: Any) -> dict[str, dict[str, Any]]:
    caps = declared_in(text + BUDGET).values
    return {file.name: yaml.safe_load(file.text) for file in manifests(caps, state, NOW, **more)}


def checked(document: dict[str, Any]) -> None:
    spec = document["spec"]
    if document["kind"] == "ScaledObject":
        jsonschema.validate(document, SCALED_OBJECT)
        assert spec["minReplicaCount"] <= spec["maxReplicaCount"]
        assert "idleReplicaCount" not in spec or spec["idleReplicaCount"] < spec["minReplicaCount"]
    else:
        jsonschema.validate(document, POD_AUTOSCALER)
        assert spec["minReplicas"] <= spec["maxReplicas"]


def test_a_connector_becomes_a_scaled_object_that_rests_while_idle() -> None:
    document = made(GOOD, left("7000"))["connector.yaml"]
    checked(document)
    assert document["metadata"] == {
        "name": "connector",
        "namespace": "connectors",
        "labels": {"team": "ingest", "app.kubernetes.io/managed-by": "flyball"},
        "annotations": {
            names.ANNOTATION_CAP_BUDGET: "infrastructure",
            names.ANNOTATION_CAP_MAXIMUM: "5",  # 7000 × 0.02 ÷ (0.096 × 252) = 5.79
            names.ANNOTATION_CAP_REASON: "what the rest of the budget pays",
            names.ANNOTATION_CAP_STATE: "7000.00 USD for 252.0 h, as of 2026-11-20T12:00:00Z",
        },
    }
    assert document["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "jdbc-connector"},
        "pollingInterval": 30,
        "cooldownPeriod": 600,
        "idleReplicaCount": 0,
        "minReplicaCount": 1,
        "maxReplicaCount": 5,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}}}},
        "triggers": [
            {
                "type": "prometheus",
                "metadata": {
                    "serverAddress": "http://prometheus:9090",
                    "query": "sum(rate(connector_rows_total[2m]))",
                    "threshold": "500",
                    "activationThreshold": "0.5",
                },
            }
        ],
    }


def test_a_gateway_becomes_a_pod_autoscaler() -> None:
    document = made(HPA, left("7000"))["gateway.yaml"]
    checked(document)
    assert (document["spec"]["minReplicas"], document["spec"]["maxReplicas"]) == (3, 12)  # 12.98
    assert [one["resource"]["name"] for one in document["spec"]["metrics"]] == ["cpu", "memory"]


def test_from_files_alone_the_manifest_says_so() -> None:
    document = made(HPA, left("18000", at=None))["gateway.yaml"]
    state = document["metadata"]["annotations"][names.ANNOTATION_CAP_STATE]
    assert state == "the whole amount, 18000.00 USD for 252.0 h: compiled from files alone"


@pytest.mark.parametrize("state", [left(None), {}, left("7000", NOW - timedelta(minutes=11))])
def test_stale_or_missing_state_holds_what_is_in_force_and_never_raises_it(state: dict[str, BudgetState]) -> None:
    assert made(HPA, state)["gateway.yaml"]["spec"]["maxReplicas"] == 3
    assert made(HPA, state, previous={"gateway": 7})["gateway.yaml"]["spec"]["maxReplicas"] == 7


def test_a_workload_without_p0_minimum_is_paused_when_the_money_is_gone() -> None:
    document = made(GOOD.replace("p0Minimum: 1", "p0Minimum: 0"), left("-3"))["connector.yaml"]
    checked(document)
    annotations = document["metadata"]["annotations"]
    assert annotations["autoscaling.keda.sh/paused-replicas"] == "0"
    assert annotations[names.ANNOTATION_CAP_MAXIMUM] == "0"
    assert document["spec"]["maxReplicaCount"] == 1
    paid = made(GOOD.replace("p0Minimum: 1", "p0Minimum: 0"), left("7000"))["connector.yaml"]
    assert "autoscaling.keda.sh/paused-replicas" not in paid["metadata"]["annotations"]


def test_a_maximum_below_the_usual_minimum_takes_it_down() -> None:
    text = HPA.replace("p0Minimum: 3", "p0Minimum: 2, minimum: 10")
    spec = made(text, left("1200"))["gateway.yaml"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 2)


def test_the_maximum_in_force_is_found_in_what_was_written() -> None:
    caps = declared_in(GOOD + HPA + BUDGET).values
    files = manifests(caps, left("7000"), NOW)
    assert maxima_in(files) == {"connector": 5, "gateway": 12}
    again = manifests(caps, left("7100"), NOW, previous=maxima_in(files))
    assert maxima_in(again) == {"connector": 5, "gateway": 12}  # 13.16, not 13 × 1.1


def test_prices_of_items_are_known_and_those_of_queries_are_asked() -> None:
    caps = declared_in(
        GOOD.replace("{amount: 0.096}", "{price: {priceMap: live, item: pods, units: 2}}")
        + HPA.replace("{amount: 0.107}", "{query: avg(x)}")
        + BUDGET
    ).values
    item = Item("pods", "pod", None, schedule=(Price(Decimal("0.3"), Decimal(2)),))
    assert known_prices(caps, (PriceMap("live", "USD", (item,)),), NOW) == {"connector": Decimal("0.3")}
    assert price_queries(caps) == {"gateway": "avg(x)"}
    documents = manifests(caps, left("7000"), NOW, prices={})
    assert maxima_in(documents) == {"connector": 1, "gateway": 3}


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
lengths = st.integers(1, 3600).map(lambda seconds: timedelta(seconds=seconds))
amounts = st.decimals("0.001", 1000, places=3)
keda_triggers = st.builds(PrometheusTrigger, st.just("http://p:9090"), texts, amounts, st.none() | amounts)


@st.composite
def caps(draw: st.DrawFn) -> AutoscalingCap:
    scaler = draw(st.sampled_from(Scaler))
    keda = scaler is Scaler.KEDA
    least = draw(st.integers(0 if keda else 1, 5))
    minimum = draw(st.integers(least, 8))
    cpu = st.builds(ResourceTrigger, st.sampled_from(["cpu", "memory"]), st.integers(1, 99))
    price = draw(st.sampled_from([FixedPrice(Decimal("0.1")), QueriedPrice("x"), PriceOfItem("a", "b", Decimal(1))]))
    return AutoscalingCap(
        name=draw(st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True)),
        target=Target("edge", "x"),
        budget="infrastructure",
        price=price,
        share=draw(st.decimals("0.01", 1, places=2)),
        p0_minimum=least,
        minimum=minimum,
        ceiling=draw(st.integers(max(minimum, 1), 30)),
        triggers=tuple(draw(st.lists(keda_triggers if keda else cpu, min_size=1, max_size=3))),
        source=HERE,
        scaler=scaler,
        idle_to_zero=keda and draw(st.booleans()),
        polling=draw(lengths),
        cooldown=draw(lengths),
        stabilization=draw(lengths),
        labels=draw(st.sampled_from([(), (("team", "a"),)])),
    )


@settings(max_examples=30)  # each is checked against two schemas
@given(
    st.lists(caps(), max_size=4, unique_by=lambda one: one.name),
    st.none() | st.decimals(-1000, 100_000, places=2),
    st.dictionaries(st.text("abc", max_size=3), st.integers(0, 40)),
)
def test_whatever_is_declared_and_left_kubernetes_takes_the_manifest(
    some: list[AutoscalingCap], remaining: Decimal | None, previous: dict[str, int]
) -> None:
    state = {"infrastructure": BudgetState("USD", remaining, Decimal(100), NOW)}
    files = manifests(some, state, NOW, previous=previous)
    assert [file.name for file in files] == sorted(f"{one.name}.yaml" for one in some)
    assert files == manifests(some[::-1], state, NOW, previous=previous)
    for file in files:
        document = yaml.safe_load(file.text)
        checked(document)
        one = next(each for each in some if f"{each.name}.yaml" == file.name)
        most = document["spec"].get("maxReplicaCount", document["spec"].get("maxReplicas"))
        assert max(one.p0_minimum, 1) <= most <= one.ceiling
        for wrote, trigger in zip(document["spec"].get("triggers", []), one.triggers, strict=False):
            if isinstance(trigger, PrometheusTrigger):
                assert wrote["metadata"]["query"] == trigger.query
