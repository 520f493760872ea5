"""AutoscalingCap as users write it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.problems import Severity
from finops.caps.model import FixedPrice, PriceOfItem, PrometheusTrigger, QueriedPrice, ResourceTrigger, Scaler, Target
from tests.finops.caps.reading import BUDGET, GOOD, HPA, declared_in, shown


def test_a_cap_says_what_was_written_and_what_was_left_out() -> None:
    made = declared_in(GOOD + HPA + BUDGET)
    assert made.problems == ()
    connector, gateway = made.values
    assert connector.target == Target("connectors", "jdbc-connector", "apps/v1", "Deployment")
    assert connector.price == FixedPrice(Decimal("0.096"))
    assert (connector.p0_minimum, connector.minimum, connector.ceiling, connector.idle_to_zero) == (1, 1, 20, True)
    assert connector.triggers == (
        PrometheusTrigger(
            "http://prometheus:9090", "sum(rate(connector_rows_total[2m]))", Decimal(500), Decimal("0.5")
        ),
    )
    assert (connector.cooldown, connector.stale_after) == (timedelta(minutes=10), timedelta(minutes=10))
    assert gateway.scaler is Scaler.HPA
    assert gateway.triggers == (ResourceTrigger("cpu", 65), ResourceTrigger("memory", 80))


def test_a_price_may_come_from_promql_or_from_a_price_map() -> None:
    queried = declared_in(GOOD.replace("{amount: 0.096}", "{query: avg(x)}") + BUDGET)
    assert queried.values[0].price == QueriedPrice("avg(x)")
    of_item = declared_in(GOOD.replace("{amount: 0.096}", "{price: {priceMap: live, item: pods, units: 2}}") + BUDGET)
    assert of_item.values[0].price == PriceOfItem("live", "pods", Decimal(2))


MISTAKES = [
    ("name: connector\n", "name: Connector\n", "metadata.name: `Connector` is not a name"),
    ("namespace: connectors", "namespace: My_Space", "spec.target.namespace: `My_Space` is not a Kubernetes namespace"),
    ("name: jdbc-connector", "name: a/b", "spec.target.name: `a/b` is not the name of a Kubernetes object"),
    (
        "budget: infra",
        "budget: infar",
        "spec.budget: there is no Budget `infarstructure`, did you mean ",
    ),
    ("cooldown: 10m", "cooldown: ten", "spec.cooldown: `ten` is not a duration (a number and s, m, h or d, as in "),
    ("cooldown: 10m", "stabilization: 2h", "spec.stabilization: must be between 0s and 1h"),
    ("{amount: 0.096}", "{}", "spec.costPerReplicaHour: no price (exactly one of amount, query, price)"),
    ("{amount: 0.096}", "{amount: 1, query: x}", "spec.costPerReplicaHour: amount and query exclude each other"),
    ("{amount: 0.096}", "{price: {priceMap: life, item: x}}", "spec.costPerReplicaHour.price.priceMap: there is no "),
    ("ceiling: 20", "ceiling: 0", "spec.replicas.ceiling"),
    ("p0Minimum: 1", "p0Minimum: 21", "spec.replicas.ceiling: below p0Minimum (21) (raise it, or lower p0Minimum)"),
    ("ceiling: 20", "minimum: 30, ceiling: 20", "spec.replicas.minimum: must be between p0Minimum (1) and ceiling "),
    ("cooldown: 10m", "scaler: hpa", "spec.triggers[0].prometheus: a HorizontalPodAutoscaler cannot ask Prometheus"),
    ("cooldown: 10m", "scaler: hpa", "spec.replicas.idle: a HorizontalPodAutoscaler cannot scale to zero (use scaler"),
    ("threshold: 500", "threshold: 0", "spec.triggers[0].prometheus.threshold"),
    ("share: 0.02", "share: 1.5", "spec.share"),
    ("share: 0.02", "share: NaN", "spec.share"),
    ("rate(connector_rows_total[2m])", "rate(connector_rows_total[2m]", "spec.triggers[0].prometheus.query"),
    ("http://prometheus:9090", "prometheus:9090", "spec.triggers[0].prometheus.serverAddress"),
]


@pytest.mark.parametrize(("old", "new", "told"), MISTAKES)
def test_a_mistake_is_told_at_its_place_with_the_way_out(old: str, new: str, told: str) -> None:
    assert old in GOOD
    made = declared_in(GOOD.replace(old, new) + BUDGET)
    assert made.values == ()
    assert any(one.startswith(told) for one in shown(made.problems)), shown(made.problems)


def test_without_a_trigger_that_counts_what_waits_nothing_would_wake_it() -> None:
    text = GOOD[: GOOD.index("    - prometheus")] + "    - cpu: {utilization: 50}\n"
    made = declared_in(text + BUDGET)
    assert shown(made.problems) == [
        "spec.replicas.idle: nothing would wake it: cpu and memory are not used while none runs"
        " (add a prometheus trigger that counts what waits)"
    ]


def test_every_mistake_is_told_at_once() -> None:
    text = GOOD.replace("cooldown: 10m", "cooldown: ten").replace("p0Minimum: 1", "p0Minimum: 21")
    assert len(declared_in(text).problems) == 3  # and the budget is not declared


def test_one_workload_has_one_cap_and_a_name_stands_once() -> None:
    twice = declared_in(GOOD + "---" + GOOD.replace("name: connector\n", "name: another\n") + BUDGET)
    assert [one.field for one in twice.problems] == ["spec.target"]
    assert "only one can scale it" in twice.problems[0].message


def test_shares_of_more_than_the_whole_are_a_warning() -> None:
    made = declared_in(GOOD.replace("0.02", "0.6") + HPA.replace("0.05", "0.5") + BUDGET)
    (problem,) = made.problems
    assert problem.severity is Severity.WARNING
    assert problem.message == "the shares of budget `infrastructure` add up to 1.1"
    assert len(made.values) == 2
