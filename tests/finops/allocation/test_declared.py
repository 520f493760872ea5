"""CostAllocation documents: what they mean, and every mistake at its place."""

from decimal import Decimal

import pytest

from controlplane.problems import Severity
from finops.allocation.model import (
    CostKey,
    CostKind,
    CsvUsage,
    EvenKey,
    Figure,
    Period,
    PromqlUsage,
    QuantityUsage,
    SharesKey,
    UsageKey,
)
from tests.finops.allocation.plans import plans_of, told

HEAD = "apiVersion: flyball.dev/v1\nkind: CostAllocation\nmetadata: {name: tenants}\nspec:\n  target: tenant\n"
WHOLE = (
    HEAD
    + """  figure: billed
  period: day
  usage:
    calls: {promql: 'sum by (tenant) (increase(calls_total[{{.window}}]))'}
    pods: {promql: 'sum by (svc) (increase(cpu_total[$__range]))', label: svc}
    seats: {csv: weights/seats.csv}
    bytes: {quantity: {service: AmazonS3}, unit: GB-Mo}
  steps:
    - {name: idle, kind: idle, select: {service: __idle__}, over: service, by: {usage: pods}}
    - {name: bus, select: {service: [kafka, redis]}, by: {usage: calls}}
    - {name: support, select: {category: Tax}, by: {shares: {alpha: 0.6, beta: "0.4"}}}
    - {name: unused, kind: commitment, select: {commitment: Unused}, by: {cost: {of: loaded, where: {service: api}}}}
    - {name: files, select: {service: AmazonS3}, by: {usage: bytes}}
    - {name: people, select: {service: zendesk}, by: {usage: seats}, targets: [alpha, beta]}
    - {name: rest, by: {even: true}}
"""
)


def steps(*lines: str, usage: str = "") -> str:
    return HEAD + usage + "  steps:\n" + "".join(f"    - {line}\n" for line in lines)


def test_a_plan_means_what_it_says() -> None:
    found = plans_of(WHOLE)
    assert found.problems == ()
    (plan,) = found.values
    assert (plan.name, plan.target, plan.figure, plan.period) == ("tenants", "tenant", Figure.BILLED, Period.DAY)
    assert plan.dimensions == ("tenant", "service", "category", "commitment")
    assert dict(plan.usage) == {
        "calls": PromqlUsage("sum by (tenant) (increase(calls_total[{{.window}}]))", "tenant"),
        "pods": PromqlUsage("sum by (svc) (increase(cpu_total[$__range]))", "svc"),
        "seats": CsvUsage("weights/seats.csv"),
        "bytes": QuantityUsage((("service", ("AmazonS3",)),), "GB-Mo"),
    }
    assert [(step.name, step.kind, step.over) for step in plan.steps][:2] == [
        ("idle", CostKind.IDLE, "service"), ("bus", CostKind.SHARED, "tenant"),
    ]  # fmt: skip
    assert [step.key for step in plan.steps] == [
        UsageKey("pods"), UsageKey("calls"), SharesKey((("alpha", Decimal("0.6")), ("beta", Decimal("0.4")))),
        CostKey(True, (("service", ("api",)),)), UsageKey("bytes"), UsageKey("seats"), EvenKey(),
    ]  # fmt: skip
    assert plan.steps[5].targets == ("alpha", "beta")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{name: a, by: {usage: cals}}", "7:29 spec.steps[0].by.usage: no usage `cals` is declared"),
        ("{name: a, by: {}}", "7:21 spec.steps[0].by: no key"),
        ("{name: a, by: {even: true, usage: x}}", "7:21 spec.steps[0].by: usage and even exclude each other"),
        ("{name: a, by: {even: false}}", "7:28 spec.steps[0].by.even: must be true"),
        (
            "{name: a, by: {shares: {x: 0.5, y: 0.4}}}",
            "7:30 spec.steps[0].by.shares: the shares add up to 0.9, not to 1",
        ),
        ("{name: a, by: {shares: {x: 1.5, y: -0.5}}}", "7:42 spec.steps[0].by.shares.y: a share must not be negative"),
        ("{name: a, by: {shares: {x: NaN}}}", "7:34 spec.steps[0].by.shares.x: expected a number, got the text 'NaN'"),
        (
            "{name: a, by: {shares: {x: 1}}, targets: [y]}",
            "7:31 spec.steps[0].by.shares.x: is not among the step's `targets`",
        ),
        (
            "{name: a, over: month, by: {even: true}}",
            "7:23 spec.steps[0].over: `month` is time: cost is spread within each month anyway",
        ),
        (
            "{name: a, select: {service: []}, by: {even: true}}",
            "7:35 spec.steps[0].select.service: must not be empty",
        ),
        (
            "{name: a, select: {service: x}, over: service, by: {shares: {x: 0.5, y: 0.5}}}",
            "7:14 spec.steps[0].name: the steps go in circles: it gives to x, which is its own selection",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(line: str, problem: str) -> None:
    found = plans_of(steps(line))
    assert problem in told(found.problems)
    assert found.values == ()


def test_steps_that_give_back_to_what_was_emptied_go_in_circles() -> None:
    found = plans_of(
        steps(
            "{name: platform, select: {service: platform}, over: service, by: {shares: {kafka: 0.5, api: 0.5}}}",
            "{name: kafka, select: {service: kafka}, over: service, by: {even: true}, targets: [platform, api]}",
        )
    )
    assert (
        "8:14 spec.steps[1].name: the steps go in circles: it gives to platform, which is what the step `platform` "
        "took from"
    ) in told(found.problems)


def test_a_step_to_which_nothing_is_left_is_told() -> None:
    found = plans_of(
        steps(
            "{name: all, select: {service: [kafka, redis]}, by: {shares: {alpha: 1}}}",
            "{name: kafka, select: {service: kafka, region: eu}, by: {even: true}}",
        )
    )
    assert told(found.problems) == [
        "8:29 spec.steps[1].select: nothing is left for it: the step `all` has spread all of it"
    ]


def test_a_step_after_one_that_may_lack_weights_is_its_fallback() -> None:
    usage = "  usage: {calls: {csv: x.csv}}\n"
    found = plans_of(steps("{name: a, by: {usage: calls}}", "{name: b, by: {even: true}}", usage=usage))
    assert found.problems == ()


@pytest.mark.parametrize(
    ("usage", "problem"),
    [
        ("{promql: 'sum(increase(x[1d])'}", "the bracket `(` is never closed"),
        ("{csv: ../../etc/passwd}", "not a file beside this document"),
        ("{csv: /etc/passwd}", "not a file beside this document"),
        ("{}", "no source"),
        ("{csv: a.csv, promql: x}", "promql and csv exclude each other"),
    ],
)
def test_a_source_of_weights_that_is_none_is_told(usage: str, problem: str) -> None:
    found = plans_of(steps("{name: a, by: {usage: u}}", usage=f"  usage: {{u: {usage}}}\n"))
    assert [each.message for each in found.problems] == [problem]


def test_what_does_nothing_is_a_warning() -> None:
    found = plans_of(
        steps(
            "{name: a, over: service, select: {region: [eu, eu]}, by: {even: true}}",
            usage="  usage: {u: {csv: x.csv}}\n",
        )
    )
    assert len(found.values) == 1
    assert {each.severity for each in found.problems} == {Severity.WARNING}
    assert sorted(each.message for each in found.problems) == [
        "`eu` is there twice",
        "no step gives anything to a tenant: all shared cost stays unallocated",
        "no step uses these weights",
    ]


def test_everything_is_told_at_once() -> None:
    found = plans_of(
        steps("{name: a, by: {usage: x}}", "{name: a, by: {shares: {q: 0.1}}}", "{nam: c, by: {even: true}}")
    )
    assert any("unknown field `nam`" in each.message for each in found.problems)
    found = plans_of(steps("{name: a, by: {usage: x}}", "{name: a, by: {shares: {q: 0.1}}}"))
    assert [each.message for each in found.problems] == [
        "no usage `x` is declared",
        "the shares add up to 0.1, not to 1",
        "there is another step `a`",
    ]
