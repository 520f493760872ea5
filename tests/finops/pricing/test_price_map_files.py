"""PriceMap documents: what they declare, and what is said of mistakes, each at its place."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.problems import Severity
from controlplane.promql import check_promql
from controlplane.specfile import json_schema
from finops.pricing.kinds import KINDS
from finops.pricing.model import BilledNames, Correction, Measure, Price, PriceMap, Replicas, Staleness, Usage
from finops.pricing.rules import rule_file
from tests.finops.pricing.pricing import D, read_text, told
from tests.slo.evaluating import utc

DOCS = Path(__file__).resolve().parent.parent.parent.parent / "docs"
HEAD = """\
apiVersion: flyball.dev/v1
kind: PriceMap
metadata: {name: shop}
spec:
  currency: USD
"""
REQUESTS = """\
  items:
    - name: requests
      resource: request
      usage: {counter: requests_total}
"""


def one(text: str) -> PriceMap:
    found = read_text(text)
    assert told(found.problems) == []
    (price_map,) = found.values
    return price_map


def problems(*texts: str) -> list[str]:
    return told(read_text(*texts).problems)


def priced(prices: str) -> list[str]:
    return problems(f"{HEAD}{REQUESTS}      prices:\n{prices}")


def test_a_price_map_means_what_it_says() -> None:
    price_map = one(
        f"""{HEAD}\
  correction: {{lowest: 0.5, highest: 2, maxAge: 3d}}
  billed: {{dimension: vendor, services: {{web: [EC2, S3]}}}}
  replicas: {{label: exporter}}
  stale: {{after: 20m, by: [service, tenant]}}
  items:
    - name: requests
      resource: request
      usage: {{counter: 'http_requests_total{{job="web"}}'}}
      by: [service, team]
      from: {{team: owner}}
      labels: {{provider: aws}}
      prices:
        - {{amount: "0.40", per: 1000000, to: 2026-06-01}}
        - {{from: 2026-07-01T06:00+02:00, amount: 0.45, per: 1e6}}
    - name: licences
      resource: custom
      spend: {{gauge: sum by (service) (licence_usd)}}
      by: [service]
      replicas: {{label: replica, timestamp: known_seconds}}
      stale: {{after: 1h, optional: true}}
"""
    )
    assert price_map.correction == Correction(D("0.5"), D(2), timedelta(days=3))
    assert price_map.billed == BilledNames("vendor", (("web", ("EC2", "S3")),))
    requests, licences = price_map.items
    assert requests.usage == Usage(Measure.COUNTER, 'http_requests_total{job="web"}')
    assert requests.schedule == (
        Price(D("0.40"), D(1_000_000), None, utc(2026, 6, 1)),
        Price(D("0.45"), D(1_000_000), utc(2026, 7, 1, 4)),
    )
    assert (requests.by, requests.renamed, requests.labels) == (
        ("service", "team"),
        (("team", "owner"),),
        (("provider", "aws"),),
    )
    assert requests.replicas == Replicas("exporter")
    assert requests.staleness == Staleness(timedelta(minutes=20), ("service",))
    assert licences.is_money
    assert licences.replicas == Replicas("replica", "known_seconds")
    assert licences.staleness == Staleness(timedelta(hours=1), (), optional=True)


def test_prices_out_of_order_twice_and_overlapping_are_each_told_at_their_place() -> None:
    assert priced(
        """\
        - {amount: 1, from: 2026-03-01}
        - {amount: 2, from: 2026-02-01}
        - {amount: 3, from: 2026-03-01}
        - {amount: 4}
        - {amount: 5, from: 2026-04-01, to: 2026-06-01}
        - {amount: 6, from: 2026-05-01}
        - {amount: 7, from: 2026-08-01, to: 2026-07-01}
"""
    ) == [
        "12:29: spec.items[0].prices[1].from: out of order: begins before the price above it (2026-03-01)"
        " (sort prices by `from`)",
        "13:29: spec.items[0].prices[2].from: two prices from 2026-03-01: which one holds? (leave one of them out)",
        "14:11: spec.items[0].prices[3]: the second price with no `from`: from when on does it hold?"
        " (write `from:` with the day on which the price changes)",
        "16:29: spec.items[0].prices[5].from: overlaps the price above it, which ends 2026-06-01"
        " (leave its `to` out: it ends where this one begins)",
        "17:45: spec.items[0].prices[6].to: ends before it begins",
    ]


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("{amount: -1}", "must be at least 0, is -1"),
        ("{amount: NaN}", "expected a number, got the text 'NaN'"),
        ("{amount: 1_0}", "expected a number"),
        ("{amount: 1, per: 0}", "must be more than 0"),
        ("{amount: 1.23456789012345678}", "has more than 17 significant digits"),
        ("{amount: 1e30}", "must be at most 1000000000000"),
        ("{amount: 1e-999999}", "is so close to 0 (below 1E-30) that it must be a mistake"),
        ("{amount: 1, per: 1e-400}", "prices[0].per: is so close to 0"),
        ("{amount: 1, from: soon}", "`soon` is not a date or time"),
        ("{amount: 1, from: 2026-02-30}", "there is no 2026-02-30"),
        ("{amount: 1, from: 1026-02-03}", "the year 1026 is out of range"),
        ("{amount: 1, from: 2026-02-03T25:00Z}", "there is no 2026-02-03T25:00Z"),
        ("{amout: 1}", "did you mean `amount`?"),
    ],
)
def test_a_price_that_cannot_be_is_told(price: str, message: str) -> None:
    found = priced(f"        - {price}\n")
    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("usage: {counter: x}", "usage without a price"),
        ("usage: {counter: 'x{a='}\n      prices: [{amount: 1}]", "the bracket `{` is never closed"),
        ("usage: {counter: 'rate(x[5m])'}\n      prices: [{amount: 1}]", "not a selector"),
        ("usage: {counter: '{job=\"x\"}'}\n      prices: [{amount: 1}]", "not a selector"),
        ("usage: {gauge: time()}\n      prices: [{amount: 1}]", "not an instant vector"),
        ("usage: {gauge: 1 + scalar(x)}\n      prices: [{amount: 1}]", "not an instant vector"),
        ("spend: {gauge: x}\n      stale: {after: 999999999w}", "`999999999w` is more than ten years"),
        ("usage: {counter: x offset 5m}\n      prices: [{amount: 1}]", "not a selector"),
        ("usage: {gauge: 'x[5m]'}\n      prices: [{amount: 1}]", "not an instant vector"),
        ("usage: {gauge: '5'}\n      prices: [{amount: 1}]", "not an instant vector"),
        ("usage: {}\n      prices: [{amount: 1}]", "nothing is measured"),
        ("usage: {counter: x, gauge: y}\n      prices: [{amount: 1}]", "counter and gauge exclude each other"),
        ("by: [service]", "nothing says what is used"),
        ("usage: {counter: x}\n      spend: {gauge: y}\n      prices: [{amount: 1}]", "exclude each other"),
        ("spend: {gauge: x}\n      prices: [{amount: 1}]", "is money already"),
        ("openCost: auto", "by which labels is the cost of nodes split?"),
        ("openCost: auto\n      by: [namespace]\n      labels: {service: x}", "kept from the metric and fixed as well"),
        ("spend: {gauge: x}\n      by: [price]", "`price` is a label that we set ourselves"),
        ("spend: {gauge: x}\n      by: [a-b]", "`a-b` is not the name of a label"),
        ("spend: {gauge: x}\n      labels: {__name__: x}", "`__name__` is a label that we set ourselves"),
        ("spend: {gauge: x}\n      from: {team: owner}", "`team` is not among the labels that the item keeps (by)"),
        ("spend: {gauge: x}\n      by: [a, b]\n      from: {a: b}", "`b` is kept under its own name, too"),
        ("spend: {gauge: x}\n      models: [gpt-4o]", "means something only with `catalogue: genai-prices`"),
        ("spend: {gauge: sum(x)}\n      replicas: {label: e}", "which exporter is fresher cannot be seen"),
        ("spend: {gauge: x}\n      replicas: {label: e, timestamp: max(t)}", "not a selector"),
        ("spend: {gauge: x}\n      stale: {after: 10 minutes}", "`10 minutes` is not a duration"),
        ("spend: {gauge: x}\n      stale: {by: [service]}", "`service` is not among the labels"),
        ("usage: {gauge: x}\n      catalogue: genai-prices", "a counter is needed"),
    ],
)
def test_items_that_do_not_make_sense_are_told(item: str, message: str) -> None:
    found = problems(f"{HEAD}  items:\n    - name: item\n      resource: custom\n      {item}\n")
    assert any(message in line for line in found), found


def test_names_are_unique_in_all_price_maps_and_have_the_usual_form() -> None:
    first = f"{HEAD}{REQUESTS}      prices: [{{amount: 1}}]\n"
    second = first.replace("{name: shop}", "{name: other}")
    assert problems(first, second) == [
        "7:13: spec.items[0].name: there is an item `requests` already, in the PriceMap at a.yaml:1"
        " (names of items are unique: choose another)"
    ]
    assert "`Requests` is not a name" in problems(first.replace("name: requests", "name: Requests"))[0]
    assert "currency" in problems(first.replace("USD", "dollars"))[0]


def test_bounds_of_the_correction_must_hold_1() -> None:
    text = f"{HEAD}  correction: {{lowest: 1.5}}\n{REQUESTS}      prices: [{{amount: 1}}]\n"
    assert "the bounds must leave room for 1" in problems(text)[0]


def test_models_that_the_catalogue_does_not_know_are_a_warning_at_their_place() -> None:
    text = f"""{HEAD}\
  items:
    - name: llm
      resource: token
      usage: {{counter: tokens_total}}
      catalogue: genai-prices
      models: [gpt-4o, our-own, other-own]
      overrides: [{{model: our-own, input: 0.1}}]
"""
    found = read_text(text)
    assert [(problem.line, problem.column, problem.severity) for problem in found.problems] == [
        (11, 33, Severity.WARNING)
    ]
    assert "knows no model `other-own`: its tokens are shown as unpriced" in found.problems[0].message
    (item,) = found.values[0].items
    assert item.catalogue is not None
    assert {price.model for price in item.catalogue.prices} == {"gpt-4o", "our-own"}


def test_two_overrides_of_the_same_kind_of_token_from_the_same_moment_are_told() -> None:
    text = f"""{HEAD}\
  items:
    - name: llm
      resource: token
      usage: {{counter: tokens_total}}
      catalogue: genai-prices
      overrides:
        - {{model: own, input: 1}}
        - {{model: own, output: 2}}
        - {{model: own, input: 2, from: 2026-01-01}}
        - {{model: own, input: 3, from: 2026-01-01}}
"""
    assert problems(text) == [
        "15:31: spec.items[0].overrides[3].input: `own` has two prices from 2026-01-01"
        " (leave one of them out, or say from when on it holds)"
    ]


def test_the_same_file_gives_the_same_rules_and_its_schema_is_json() -> None:
    text = f"{HEAD}{REQUESTS}      prices: [{{amount: 1}}]\n"
    assert rule_file(one(text)) == rule_file(one(text))
    schema = json.loads(json.dumps(json_schema(KINDS)))
    assert "flyball.dev.v1.PriceMap" in schema["$defs"]


@pytest.mark.parametrize("page", ["reference/price-map.md", "how-to/price-usage.md"])
def test_what_the_pages_show_loads(page: str) -> None:
    snippets = re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    documents = [each for each in snippets if each.startswith("apiVersion")]
    items = [each for each in snippets if each.startswith("    - name")]
    assert documents
    for text in (*documents, *(f"{HEAD}  items:\n{item}" for item in items)):
        found = read_text(text)
        assert [each for each in found.problems if each.severity is Severity.ERROR] == []
        assert found.values


WHOLE = f"""{HEAD}\
  correction: {{lowest: 0.5, highest: 2, maxAge: 3d}}
  billed: {{dimension: vendor, services: {{web: [EC2, S3]}}}}
  stale: {{after: 20m, by: [service]}}
  items:
    - name: requests
      resource: request
      usage: {{counter: 'x_total{{job="web"}}'}}
      by: [service, team]
      from: {{team: owner}}
      labels: {{provider: aws}}
      replicas: {{label: exporter, timestamp: known_seconds}}
      prices:
        - {{amount: "0.40", per: 1000000, to: 2026-06-01}}
        - {{from: 2026-07-01T06:00+02:00, amount: 0.45, per: 1e6}}
    - name: llm
      resource: token
      usage: {{counter: tokens_total}}
      catalogue: genai-prices
      models: [gpt-4o]
      overrides: [{{model: own, from: 2026-01-01, input: 1, per: 3}}]
      tokens: {{types: {{in: input, out: output}}}}
    - name: nodes
      resource: node
      openCost: auto
      openCostOptions: {{nodeLabels: [region], machines: [{{instanceType: m, cores: 8, gib: 32}}]}}
      by: [service]
"""
WORDS = re.findall(r"[^\s{}\[\],:]+|[\s{}\[\],:]+", WHOLE)
ODD = st.sampled_from(
    ["", "0", "-1", "null", "[]", "{}", "true", "1e999", "2026-13-01", "'\u2028'", "x{", "counter", "5m", "1e-300"]
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(WORDS) - 1), ODD), min_size=1, max_size=3))
def test_whatever_is_written_is_a_price_map_or_a_problem_with_a_place(changes: list[tuple[int, str]]) -> None:
    words = list(WORDS)
    for place, odd in changes:
        words[place] = odd
    found = read_text("".join(words))
    assert all(problem.line >= 1 and problem.message for problem in found.problems)
    if not any(problem.severity is Severity.ERROR for problem in found.problems):
        for price_map in found.values:
            for rule in (rule for group in rule_file(price_map).groups for rule in group.rules):
                assert check_promql(rule.expr) is None, rule
