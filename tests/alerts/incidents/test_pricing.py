"""Incidents carry what they cost: from real questions, told when it is news, kept for good at the end."""

import re
import subprocess
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from alerts.incidents.prices import is_material, price_of
from alerts.incidents.pricing import PricingDaemon
from controlplane.model.incident import PriceTag
from controlplane.model.series import Sample, Series
from tests.alerts.incidents.bench import MINUTE, T0, Bench, alert


class Prometheus:
    """Answers by the first metric in the question; remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, datetime]] = []

    def query(self, expr: str, at: datetime) -> list[Sample]:
        self.asked.append((expr, at))
        found = re.search(r"(slo|budget):[a-z_:0-9]+", expr)
        assert found is not None
        return [Sample(labels, at, value) for labels, value in self.answers.get(_short(found[0]), [])]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise AssertionError("nothing here asks for a range")


def _short(metric: str) -> str:
    names = {
        "slo:sli_events:rolling5m": "bad",
        "slo:error_budget:events": "allowed",
        "budget:spend:rolling5m": "spent",
        "budget:expected:rolling5m": "expected",
    }
    return names[metric]


USD = {"budget": "llm", "currency": "USD"}
FULL = {
    "bad": [({"slo": "pay"}, 120.0)],
    "allowed": [({"slo": "pay"}, 1000.0)],
    "spent": [(USD, 30.5), ({"budget": "cdn", "currency": "EUR"}, 1.0)],
    "expected": [(USD, 10.25), ({"budget": "cdn", "currency": "EUR"}, 4.0)],
}


class Pricing:
    """One daemon over a bench; each turn may have other answers."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.backend = Prometheus()
        self.daemon = PricingDaemon(
            bench.store, lambda: bench.declared, self.backend, read_time=lambda transaction, now: bench.now
        )

    def turn(self, **answers: Any) -> tuple[int, int]:
        self.backend.answers, self.backend.asked = answers, []
        ran = self.daemon.run_once(self.bench.now)
        return ran.priced, ran.told


def test_an_incident_costs_budget_money_and_operations(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.due()
    bench.now += MINUTE
    assert Pricing(bench).turn(**FULL) == (1, 1)
    tag = bench.one().price
    assert tag == PriceTag(
        as_of=bench.now,
        budget_burned=(("pay", Decimal("0.12")),),
        extra_spend=(("llm", Decimal("20.25"), "USD"),),
        failed_operations=Decimal(120),
    )
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]


def test_what_is_not_known_is_missing_and_said(bench: Bench) -> None:
    bench.receive(alert(slo="pay"), receiver="pages")
    assert Pricing(bench).turn(bad=[({"slo": "pay"}, float("nan"))]) == (1, 0)
    tag = bench.one().price
    assert tag == PriceTag(T0, (), (), None, "no series say what it cost")
    bench.receive(alert("NodeDown", service="nodes", slo=""), receiver="pages")
    Pricing(bench).turn()
    assert bench.incidents()[0].price == PriceTag(T0, (), (), None, "its alerts name no SLO and no budget")


def test_people_hear_of_a_price_when_it_is_a_tenth_more_than_they_know_and_not_every_minute(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    told, pricing = [], Pricing(bench)
    for minute in range(12):
        bad = {"bad": [({"slo": "pay"}, 100.0 + 4 * minute)], "allowed": FULL["allowed"]}
        told.append(pricing.turn(**bad)[1])
        bench.now += MINUTE
    assert told == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert bench.one().price is not None


def test_a_resolved_incident_is_priced_once_more_up_to_its_end(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.now += MINUTE
    bench.desk.resolve("INC-1", by="ann", via="cli", why="", now=bench.now)
    end = bench.now
    bench.now += MINUTE
    pricing = Pricing(bench)
    assert pricing.turn(**FULL) == (0, 0)
    bench.now += MINUTE
    assert pricing.turn(**FULL) == (1, 1)
    assert {at for _, at in pricing.backend.asked} == {end}
    bench.now += MINUTE
    assert pricing.turn(**FULL) == (0, 0)


def test_news_is_what_is_known_newly_or_changed_by_a_tenth() -> None:
    tag = PriceTag(T0, (("pay", Decimal(1)),), (), Decimal(10))
    assert is_material(None, tag)
    assert not is_material(None, PriceTag(T0, note="nothing"))
    assert not is_material(tag, PriceTag(T0, (("pay", Decimal("1.1")),), (), Decimal(11)))
    assert is_material(tag, PriceTag(T0, (("pay", Decimal("1.11")),), (), Decimal(10)))
    assert is_material(tag, PriceTag(T0, (("pay", Decimal(1)),), (("llm", Decimal(1), "USD"),), Decimal(10)))


def test_prometheus_answers_the_questions_with_what_really_happened(
    promtool: str, tmp_path: Path, bench: Bench
) -> None:
    """100 bad events in one minute stand in five samples of the rolling pair; names are matched as they are."""
    odd = 'pay.v2"x\\y'
    bench.receive(alert(slo=odd), receiver="pages")
    backend = Prometheus()
    price_of(backend, bench.one(), [alert(slo=odd)], T0 + 20 * MINUTE)
    bad, allowed, spent = (expr for expr, _ in backend.asked[:3])
    named = 'slo="' + odd.replace("\\", "\\\\").replace('"', '\\"') + '"'
    series = [
        (f'slo:sli_events:rolling5m{{event="bad",{named}}}', "0x5 100x4 0x20"),
        (f'slo:sli_events:rolling5m{{event="all",{named}}}', "900x30"),
        ('slo:sli_events:rolling5m{event="bad",slo="payXv2"}', "5x30"),
        (f"slo:error_budget:events{{{named}}}", "400x30"),
        ('budget:spend:rolling5m{budget="llm",currency="USD"}', "0x5 3x4 0x20"),
    ]
    tests = [(bad, 100.0, {"slo": odd}), (allowed, 400.0, {"slo": odd}), (spent, 3.0, USD)]
    document = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "promql_expr_test": [
                    {
                        "expr": expr,
                        "eval_time": "20m",
                        "exp_samples": [{"labels": _written(labels), "value": value}],
                    }
                    for expr, value, labels in tests
                ],
            }
        ],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(document))
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _written(labels: dict[str, str]) -> str:
    pairs = (f'{name}="' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for name, value in labels.items())
    return "{" + ", ".join(pairs) + "}"
