"""Meters, quotas and contracts as users write them."""

from pathlib import Path

import pytest

from controlplane.model.usage import Aggregation
from controlplane.specfile import Declared, SourceFile, read
from exporters.usage.declared import declared
from exporters.usage.kinds import KINDS
from exporters.usage.terms import QuotaPeriod, Rounding, UsageTerms

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/intelgraph/money/usage.yaml"
METER = """
apiVersion: flyball.dev/v1
kind: Meter
metadata: {name: tokens}
spec:
  eventType: ai.completed
  aggregation: sum
  value: tokens.total
  unit: token
"""
QUOTA = """
apiVersion: flyball.dev/v1
kind: UsageQuota
metadata: {name: inference}
spec:
  meter: tokens
  limit: 100
"""
CONTRACT = """
apiVersion: flyball.dev/v1
kind: ServiceContract
metadata: {name: standard}
spec:
  tenants: [alpha]
  slo: gateway
  credits:
    - {below: 0.999, percent: 10}
    - {below: 0.99, percent: 25}
  fee: {amount: 1000, currency: USD}
"""


def reading(*texts: str) -> tuple[Declared[UsageTerms], list[str]]:
    result = read([SourceFile("usage.yaml", "---".join(texts).encode())], KINDS)
    found = declared(result.documents)
    problems = [*result.problems, *found.problems]
    return found, [f"{problem.line}: {problem.field}: {problem.message}" for problem in problems]


def test_the_example_declares_what_it_says() -> None:
    found, problems = reading(EXAMPLE.read_text())
    assert problems == []
    (terms,) = found.values
    assert [meter.name for meter in terms.meters] == [
        "active-analysts",
        "graphql-calls",
        "ingested-events",
        "llm-tokens",
    ]
    tokens = terms.meter("llm-tokens")
    assert tokens is not None
    assert (tokens.value, tokens.aggregation, tokens.dimensions) == (
        ("tokens", "total"), Aggregation.SUM, (("model", ("model",)),),
    )  # fmt: skip
    assert [(quota.name, quota.period) for quota in terms.quotas] == [
        ("inference", QuotaPeriod.MONTH), ("inference-burst", QuotaPeriod.DAY),
    ]  # fmt: skip
    assert terms.contracted == {"alpha", "beta", "gamma", "delta"}


def test_documents_of_other_kinds_alone_declare_nothing() -> None:
    assert declared([]) == Declared()


@pytest.mark.parametrize("path", ["tokens.total", "$.tokens.total", "data.tokens.total"])
def test_a_path_may_begin_as_elsewhere(path: str) -> None:
    found, problems = reading(METER.replace("value: tokens.total", f"value: {path}"))
    assert problems == []
    assert found.values[0].meters[0].value == ("tokens", "total")


@pytest.mark.parametrize(
    ("texts", "change", "expected"),
    [
        ((METER,), ("name: tokens", "name: To_kens"), "4: metadata.name: `To_kens` is not a name"),
        ((METER, METER), ("", ""), "13: metadata.name:"),
        ((METER,), ("  value: tokens.total\n", ""), "6: spec: sum needs a value"),
        ((METER,), ("aggregation: sum", "aggregation: count"), "8: spec.value: count takes no value"),
        ((METER,), ("aggregation: sum", "aggregation: median"), "7: spec.aggregation:"),
        ((METER,), ("tokens.total", "tokens[0]"), "8: spec.value: `tokens[0]` is not a path into the event's data"),
        ((METER,), ("unit: token", "unit: =cmd()"), "9: spec.unit:"),
        (
            (METER,),
            ("unit: token", "unit: token\n  dimensions: {tenant: a, 1x: b}"),
            "10: spec.dimensions.tenant: `tenant` cannot be a label: it is taken",
        ),
        (
            (METER,),
            ("unit: token", "unit: token\n  billing: {decimals: 2, price: {amount: 1, currency: USD}}"),
            "a line is rounded once",
        ),
        (
            (METER,),
            ("unit: token", "unit: token\n  billing: {price: {amount: -1, currency: USD}}"),
            "10: spec.billing.price.amount:",
        ),
        (
            (METER,),
            ("unit: token", "unit: token\n  billing: {price: {amount: 1, per: 0, currency: usd}}"),
            "10: spec.billing.price.currency:",
        ),
        ((METER,), ("unit: token", "unit: token\n  pricing: 5"), "10: spec.pricing:"),
        (
            (
                METER,
                METER.replace("name: tokens", "name: more").replace(
                    "unit: token", "unit: token\n  tenant: customer.id"
                ),
            ),
            ("", ""),
            "finds the tenant elsewhere than the meter `tokens`",
        ),
        ((QUOTA,), ("", ""), "6: spec.meter: there is no meter `tokens`"),
        (
            (METER, QUOTA),
            ("meter: tokens", "meter: tokns"),
            "spec.meter: there is no meter `tokns`, did you mean `tokens`?",
        ),
        (
            (METER, QUOTA),
            ("limit: 100", "limit: 100\n  thresholds: [0.9, 0.8]"),
            "spec.thresholds: must ascend, each once",
        ),
        ((METER, QUOTA), ("limit: 100", "limit: 0"), "spec.limit:"),
        (
            (METER.replace("sum", "unique"), QUOTA),
            ("limit: 100", "limit: 100\n  period: day"),
            "counts different values of a month",
        ),
        (
            (CONTRACT,),
            ("tenants: [alpha]", "tenants: [alpha, alpha, other]"),
            "6: spec.tenants[1]: `alpha` is there twice",
        ),
        ((CONTRACT,), ("tenants: [alpha]", "tenants: []"), "6: spec.tenants:"),
        ((CONTRACT,), ("below: 0.99,", "below: 0.9999,"), "10: spec.credits[1]: must fall below the row before it"),
        (
            (CONTRACT,),
            ("percent: 25", "percent: 5"),
            "10: spec.credits[1]: must fall below the row before it, and give more back",
        ),
        ((CONTRACT,), ("percent: 25", "percent: 101"), "10: spec.credits[1].percent:"),
        ((CONTRACT,), ("amount: 1000", "amount: 0"), "spec.fee: credits would be a share of nothing"),
        (
            (CONTRACT, CONTRACT.replace("name: standard", "name: second")),
            ("", ""),
            "`alpha` is promised `gateway` by the contract `standard` already",
        ),
    ],
)
def test_every_mistake_is_told_where_it_stands(texts: tuple[str, ...], change: tuple[str, str], expected: str) -> None:
    *before, last = texts
    _, problems = reading(*before, last.replace(*change))
    assert any(expected in problem for problem in problems), problems


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    _, problems = reading(
        METER.replace("name: tokens", "name: T").replace("tokens.total", "a b"),
        CONTRACT.replace("percent: 25", "percent: 5"),
    )
    assert len(problems) == 3


def test_a_meter_in_a_file_that_could_not_be_read_is_not_missed_twice() -> None:
    result = read([SourceFile("usage.yaml", QUOTA.encode())], KINDS)
    assert declared(result.documents, lambda name: name == "tokens").problems == ()


def test_defaults_are_those_of_the_reference_page() -> None:
    found, _ = reading(METER, QUOTA, CONTRACT)
    (terms,) = found.values
    assert [str(threshold) for threshold in terms.quotas[0].thresholds] == ["0.8", "0.9", "1"]
    assert terms.meters[0].billing.rounding is Rounding.HALF_UP
    assert (terms.contracts[0].cap, terms.contracts[0].group_by) == (100, "tenant")
