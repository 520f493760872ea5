"""What signals say, read from a real Prometheus that remembers what we wrote; data that is old in every way."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane.model.series import Sample, Series
from controlplane.ports import Permanent, Transient
from finops.ladder.controller.gates import brake_fault
from finops.ladder.controller.judging import good_values
from finops.ladder.model import Ladder, Measure, Signal
from finops.ladder.readings import Quality, Reading
from finops.ladder.signals.queries import range_queries
from finops.ladder.signals.reader import SignalReader
from finops.ladder.signals.scopes import MoneyScope, Scopes
from tests.finops.ladder.ladders import HOUR, a_brake, a_ladder, a_signal
from tests.slo.evaluating import Past, past, unix, utc

NOW = utc(2026, 3, 11, 12)
SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)
BUDGETS = ("llm", "dead", "two", "nan", "negative", "infinite", "silent", "slow", "unpriced", "alien")
BURN = "budget:burn_rate:1h"
SCOPES = Scopes(
    budgets={name: MoneyScope("USD", (("resource", (name,)),)) for name in (*BUDGETS, "rolling", "old")},
    unit_costs={"calls": MoneyScope("USD", (("resource", ("llm",)),))},
)


@dataclass(frozen=True)
class Writer:
    """Writes series that end at some age."""

    past: Past

    def write(
        self, name: str, value: float, *, age: timedelta = 20 * SECONDS, step: int = 60, hours: float = 2, **labels: str
    ) -> None:
        end = unix(NOW - age)
        times = np.arange(end - int(hours * 3600), end + 1, step)
        times = times + (end - times[-1])
        self.past.write({"__name__": name, **labels}, times, np.full(times.size, value))

    def usage(self, item: str, age: timedelta, **changes: float) -> None:
        """An item whose usage was always, or has for that long been, that old."""
        usual = timedelta(seconds=changes.get("usual", 30))
        times = np.arange(unix(NOW) - 86_000, unix(NOW), 60)
        taken = np.minimum(times - usual.total_seconds(), unix(NOW - age))
        self.past.write({"__name__": "cost:usage:timestamp_seconds", "price": item}, times, taken)
        self.write("cost:spend:ledger5m", 1, step=300, currency="USD", price=item, resource=item)


def write_budgets(writer: Writer) -> None:
    values = {"nan": math.nan, "negative": -0.5, "infinite": math.inf}
    for name in BUDGETS:
        of = {"budget": name, "currency": "EUR" if name == "alien" else "USD"}
        writer.write(BURN, values.get(name, 2.4), **of)
        writer.write("budget:spend:rolling5m", 1, age=20 * MINUTES if name == "dead" else 20 * SECONDS, **of)
        writer.write("budget:spend:sum1h", 24, **of)
        writer.write("budget:expected:sum1h", 10, **of)
    writer.write(BURN, 2.5, budget="two", currency="USD", replica="b")
    writer.usage("llm", 30 * SECONDS)
    writer.usage("silent", 7 * MINUTES)
    writer.usage("slow", 40 * MINUTES, usual=2400)
    writer.usage("unpriced", 30 * SECONDS)
    writer.write("ALERTS", 1, alertname="CostUnpriced", alertstate="firing", price="unpriced")
    writer.write("ALERTS", 1, alertname="CostDataStale", alertstate="pending", price="llm")


def write_windows(writer: Writer) -> None:
    """What is recorded every five minutes; the last time six minutes ago, as late evaluations leave it."""
    late = {"age": 6 * MINUTES, "step": 300}
    for name, end in (("llm", NOW + 100 * HOUR), ("rolling", NOW - 6 * MINUTES), ("old", NOW + 100 * HOUR)):
        of = {"budget": name, "currency": "USD"}
        writer.write("budget:forecast:ratio", 1.2, basis="forecast", **late, **of)
        writer.write("budget:spent:ratio", 0.7, **late, **of)
        writer.write("budget:amount", 5000, **late, **of)
        writer.write("budget:window_end:seconds", end.timestamp(), **late, **of)
        writer.write("budget:window_start:seconds", (end - 720 * HOUR).timestamp(), **late, **of)
        writer.write("budget:spend:rolling5m", 1, **of) if name != "llm" else None
        made = (NOW - (3 * HOUR if name == "old" else 5 * MINUTES)).timestamp()
        writer.write("flyball_budget_forecast_timestamp_seconds", made, budget=name, currency="USD")
    writer.write("budget:usual:1h", 4, age=6 * MINUTES, step=300, budget="llm", currency="USD", of="days")
    writer.write("budget:usual:1h", 6, age=6 * MINUTES, step=300, budget="llm", currency="USD", of="weeks")


def write_others(writer: Writer) -> None:
    for route, ratio, units in (("a", 3.0, 100.0), ("b", 1.0, 300.0)):
        of = {"unit_cost": "calls", "route": route}
        writer.write("unit_cost:ratio:1h", ratio, step=300, currency="USD", **of)
        writer.write("unit_cost:units:ledger5m", units / 12, step=300, age=19 * SECONDS, **of)
        writer.write("unit_cost:spend:ledger5m", ratio * units / 12, step=300, currency="USD", **of)
        writer.write("unit_cost:spend:rolling5m", ratio * units / 12, currency="USD", **of)
    writer.write("unit_cost:target", 1.2, step=300, unit_cost="calls", currency="USD")
    writer.write("flyball_usage_quota_used_ratio", 0.4, quota="tokens", tenant="a")
    writer.write("flyball_usage_quota_used_ratio", 0.9, quota="tokens", tenant="b")
    writer.write("flyball_usage_quota_used_ratio", 0.9, age=6 * MINUTES, quota="gone", tenant="b")
    writer.write("own_total", 5, age=30 * MINUTES, job="dead")
    writer.write("own_total", 5, job="alive")
    for tenant, left in (("a", 0.8), ("b", -0.1)):
        writer.write("slo:error_budget_remaining:ratio", left, age=6 * MINUTES, step=300, slo="gateway", tenant=tenant)
    writer.write("slo:error_budget_remaining:ratio", 0.5, step=300, slo="silent")
    writer.write("ALERTS", 1, alertname="SLONoData", alertstate="firing", slo="silent", severity="ticket")


def write_detectors(writer: Writer) -> None:
    """`open` has two anomalies and a calm series; of `blank` one is open that has no score; `old` has none any more."""
    for detector, service, output, is_open, score in (
        ("open", "a", "point", 1, 3.5), ("open", "a", "sustained", 1, 4.5), ("open", "b", "point", 0, 9),
        ("calm", "a", "point", 0, 0.8), ("blank", "a", "point", 1, None), ("blank", "b", "point", 0, 0.1),
        ("old", "a", "point", 1, None),
    ):  # fmt: skip
        writer.write("anomaly_open", is_open, detector=detector, service=service, output=output)
        if score is not None:
            name = "anomaly_score" if output == "point" else "anomaly_sustained_score"
            writer.write(name, score, detector=detector, service=service)


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as server:
        writer = Writer(server)
        write_budgets(writer)
        write_windows(writer)
        write_others(writer)
        write_detectors(writer)
        yield server


def of(remembered: Past, *signals: Signal, **changes: object) -> dict[str, Reading]:
    ladder = a_ladder(signals=signals, **changes)
    return dict(SignalReader(remembered.backend, SCOPES).read(ladder, NOW, {}).signals)


def burning(budget: str) -> Signal:
    return a_signal(budget, Measure.BURN_RATE, budget)


def asking(name: str, query: str, **changes: object) -> Signal:
    return a_signal(name, Measure.QUERY, "", query=query, **changes)


def test_a_burn_rate_says_when_its_data_was_taken_and_what_a_unit_of_money_more_would_do(remembered: Past) -> None:
    found = of(remembered, burning("llm"))["llm"]
    assert (found.quality, found.value, found.at) == (Quality.GOOD, Decimal("2.4"), NOW - 20 * SECONDS)
    assert float(found.per_hour or 0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("budget", "quality", "reason"),
    [
        ("dead", Quality.STALE, "what it is recorded from has not been measured for five minutes"),
        ("two", Quality.CONTRADICTORY, "2 series where one may be"),
        ("nan", Quality.MISSING, "it is not a number (NaN)"),
        ("negative", Quality.CONTRADICTORY, "it is negative (-0.5)"),
        ("infinite", Quality.CONTRADICTORY, "it is infinite"),
        ("silent", Quality.STALE, "usage of silent was last measured 7 min ago"),
        ("unpriced", Quality.STALE, "CostUnpriced fires for unpriced"),
        ("unknown", Quality.MISSING, "the budget unknown has no burn rate"),
    ],
)  # fmt: skip
def test_what_is_not_good_has_no_value_and_says_why(
    remembered: Past, budget: str, quality: Quality, reason: str
) -> None:
    found = of(remembered, burning(budget))[budget]
    assert (found.quality, found.value) == (quality, None)
    assert found.reason.startswith(reason)


def test_a_query_that_is_negative_lets_nothing_go(remembered: Past) -> None:
    found = of(remembered, asking("below", "-max(own_total)"), asking("noise", "max(own_total) * 0 - 1e-12"))
    assert (found["below"].quality, found["below"].reason) == (Quality.CONTRADICTORY, "it is negative (-5)")
    assert (found["noise"].quality, found["noise"].value) == (Quality.GOOD, Decimal(0))


def test_a_source_that_always_was_slow_is_not_silent(remembered: Past) -> None:
    assert of(remembered, burning("slow"))["slow"].quality is Quality.GOOD


def test_without_a_known_scope_any_silent_source_counts(remembered: Past) -> None:
    found = SignalReader(remembered.backend).read(a_ladder(signals=(burning("llm"),)), NOW, {}).signals["llm"]
    assert found.quality is Quality.STALE


def test_a_budget_in_another_currency_has_a_value_and_no_sensitivity(remembered: Past) -> None:
    found = of(remembered, burning("alien"))["alien"]
    assert (found.value, found.per_hour) == (Decimal("2.4"), None)


def test_a_forecast_moves_by_the_hours_that_are_left(remembered: Past) -> None:
    signals = [a_signal(name, Measure.FORECAST, name) for name in ("llm", "rolling", "old")]
    found = of(remembered, *signals)
    assert (found["llm"].value, found["llm"].per_hour) == (Decimal("1.2"), Decimal("0.02"))
    assert found["rolling"].per_hour == Decimal("0.144")
    assert found["old"].quality is Quality.STALE
    assert "3 h old" in found["old"].reason


def test_what_is_spent_stays_spent_except_in_a_window_that_rolls(remembered: Past) -> None:
    found = of(remembered, *(a_signal(name, Measure.SPENT, name) for name in ("llm", "rolling")))
    assert (found["llm"].value, found["llm"].per_hour) == (Decimal("0.7"), None)
    assert found["rolling"].per_hour == Decimal("0.144")


@pytest.mark.parametrize(
    ("floor", "saving", "value", "without"),
    [(10, 0, 4, 4), (30, 0, 0, 0), (30, 12, 0, 6), (30, 3, 0, 0), (10, 6, 4, 5)],
    ids=["above-the-floor", "below-it", "above-it-without-the-tier", "below-it-even-then", "tier-in-force"],
)
def test_a_spike_would_be_exactly_what_the_floor_makes_of_it(
    remembered: Past, floor: int, saving: int, value: int, without: int
) -> None:
    signal = a_signal("spike", Measure.SPIKE, floor_per_hour=Decimal(floor))
    reader = SignalReader(remembered.backend, SCOPES)
    found = reader.read(a_ladder(signals=(signal,)), NOW, {1: Decimal(saving)} if saving else {}).signals["spike"]
    assert found.value is not None
    assert found.per_hour is not None
    assert found.value == value
    assert found.value + saving * found.per_hour == without


def test_a_unit_cost_that_is_split_is_that_of_all_of_it(remembered: Past) -> None:
    found = of(remembered, a_signal("calls", Measure.UNIT_COST, "calls"))["calls"]
    assert (found.quality, found.reason) == (Quality.GOOD, "")
    assert float(found.value or 0) == pytest.approx(600 / 400 / 1.2)
    assert float(found.per_hour or 0) == pytest.approx(600 / 400 / 1.2 / 600)


def test_a_quota_is_that_of_the_tenant_who_used_most(remembered: Past) -> None:
    found = of(remembered, *(a_signal(name, Measure.QUOTA, name) for name in ("tokens", "gone")))
    assert (found["tokens"].value, found["gone"].quality) == (Decimal("0.9"), Quality.MISSING)


def of_detector(name: str, **changes: object) -> Signal:
    return a_signal(name, Measure.ANOMALY, name, **changes)


def test_an_anomaly_is_the_worst_score_of_what_is_open(remembered: Past) -> None:
    found = of(remembered, *(of_detector(name) for name in ("open", "calm")))
    assert {name: each.value for name, each in found.items()} == {"open": Decimal("4.5"), "calm": Decimal(0)}
    assert {(each.quality, each.at, each.per_hour) for each in found.values()} == {
        (Quality.GOOD, NOW - 20 * SECONDS, None)
    }
    moved = of(remembered, of_detector("calm", per_hour_query="0.25"))["calm"]
    assert moved.per_hour == Decimal("0.25")


@pytest.mark.parametrize(
    ("detector", "quality", "reason"),
    [
        ("blank", Quality.MISSING, "an anomaly of blank is open that has no score now"),
        ("old", Quality.MISSING, "the detector old scores nothing now"),
        ("none", Quality.MISSING, "the detector none scores nothing now"),
    ],
)
def test_an_anomaly_that_is_not_known_is_not_none(
    remembered: Past, detector: str, quality: Quality, reason: str
) -> None:
    found = of(remembered, of_detector(detector))[detector]
    assert (found.quality, found.value) == (quality, None)
    assert found.reason.startswith(reason)


def waiting(detector: str) -> Signal:
    return a_signal(detector, Measure.SPIKE, floor_per_hour=Decimal(10), detector=detector)


def test_a_spike_that_waits_for_a_detector_counts_while_an_anomaly_is_open(remembered: Past) -> None:
    found = of(remembered, *(waiting(name) for name in ("open", "calm", "blank", "old", "none")))
    assert {name: (each.quality, each.value) for name, each in found.items()} == {
        "open": (Quality.GOOD, Decimal(4)),
        "calm": (Quality.GOOD, Decimal(0)),
        "blank": (Quality.GOOD, Decimal(4)),
        "old": (Quality.STALE, None),
        "none": (Quality.STALE, None),
    }
    assert "the detector none scores nothing now" in found["none"].reason


def test_an_anomaly_that_the_tier_brought_to_an_end_does_not_let_the_tier_go(remembered: Past) -> None:
    ladder = a_ladder(signals=(waiting("calm"),))
    found = SignalReader(remembered.backend, SCOPES).read(ladder, NOW, {1: Decimal(6)}).signals["calm"]
    assert found.value == 0
    assert found.per_hour is not None
    assert found.value + 6 * found.per_hour == (24 + 6) / Decimal(6)


def test_a_users_query_is_as_old_as_the_samples_that_it_reads(remembered: Past) -> None:
    found = of(
        remembered,
        asking("dead", 'sum(sum_over_time(own_total{job="dead"}[1h]))'),
        asking("alive", 'sum(sum_over_time(own_total{job="alive"}[1h]))', per_hour_query="0.5"),
        asking("both", 'sum_over_time(own_total{job="alive"}[1h]) + on() sum_over_time(own_total{job="dead"}[1h])'),
        asking("before", 'own_total{job="dead"} offset 1h'),
        asking("many", "own_total or vector(1)"),
        asking("number", "7"),
        asking("wrong", "sum(("),
    )
    assert {name: each.quality for name, each in found.items()} == {
        "dead": Quality.STALE, "alive": Quality.GOOD, "both": Quality.STALE, "before": Quality.GOOD,
        "many": Quality.CONTRADICTORY, "number": Quality.GOOD, "wrong": Quality.MISSING,
    }  # fmt: skip
    assert found["alive"].per_hour == Decimal("0.5")
    assert found["alive"].at == NOW - 20 * SECONDS
    assert "parse error" in found["wrong"].reason


def test_a_brake_is_the_budget_of_the_worst_group(remembered: Past) -> None:
    brakes = tuple(a_brake(slo) for slo in ("gateway", "silent", "unknown"))
    found = SignalReader(remembered.backend, SCOPES).read(a_ladder(brakes=brakes), NOW, {}).brakes
    assert found["gateway"].value == Decimal("-0.1")
    assert {slo: each.quality for slo, each in found.items()} == {
        "gateway": Quality.GOOD, "silent": Quality.STALE, "unknown": Quality.MISSING,
    }  # fmt: skip


def test_the_controller_takes_as_good_what_the_reader_does_however_seldom_it_comes(remembered: Past) -> None:
    signals = (burning("llm"), *(a_signal(each.value, each) for each in (Measure.FORECAST, Measure.SPENT)))
    ladder = a_ladder(signals=signals, brakes=(a_brake("gateway"),))
    found = SignalReader(remembered.backend, SCOPES).read(ladder, NOW, {})
    assert {each.quality for each in (*found.signals.values(), *found.brakes.values())} == {Quality.GOOD}
    assert min(each.at for each in found.signals.values() if each.at) < NOW - 5 * MINUTES
    assert None not in good_values(ladder, found, NOW).values()
    assert brake_fault(ladder, ladder.brakes[0], found, NOW) == ""


def test_over_time_the_same_text_says_the_same(remembered: Past) -> None:
    ladder = a_ladder(signals=(burning("llm"),))
    expr = range_queries(ladder, SCOPES).signals["llm"]
    at_once = {tuple(sorted(each.labels.items())): each.value for each in remembered.backend.query(expr, NOW)}
    over_time = remembered.backend.query_range(expr, NOW - 10 * MINUTES, NOW, MINUTES)
    assert {tuple(sorted(each.labels.items())): each.points[-1][1] for each in over_time} == at_once


@dataclass
class Failing:
    """A backend that fails for expressions with certain words, and counts questions."""

    words: Sequence[str]
    error: type[Exception]
    asked: list[str] = field(default_factory=list)

    def query(self, expr: str, at: datetime) -> list[Sample]:
        del at
        self.asked.append(expr)
        if any(word in expr for word in self.words):
            raise self.error("no answer within 5 s")
        return []

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise AssertionError((expr, start, end, step))


LADDER: Ladder = a_ladder(
    signals=(asking("own", "slow_query"), burning("llm"), burning("dead")), brakes=(a_brake("gateway"),)
)


@pytest.mark.parametrize("error", [Transient, Permanent])
def test_one_question_that_fails_makes_one_signal_missing(error: type[Exception]) -> None:
    backend = Failing(["slow_query"], error)
    found = SignalReader(backend).read(LADDER, NOW, {}).signals
    assert found["own"] == Reading(Quality.MISSING, reason="no answer within 5 s")
    assert found["llm"].reason.startswith("the budget llm has no burn rate")


def test_a_backend_that_is_down_is_asked_twice_and_everything_is_missing() -> None:
    backend = Failing(["(", "1"], Transient)
    found = SignalReader(backend).read(LADDER, NOW, {})
    assert {each.reason for each in (*found.signals.values(), *found.brakes.values())} == {"no answer within 5 s"}
    assert len(backend.asked) == 2
