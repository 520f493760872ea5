"""History out of charges and traffic: sums are exact, and what is not known is left out."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.budget import Budget
from controlplane.model.slo import RollingWindow
from finops.ladder.model import Brake, Measure
from finops.ladder.readings import Quality
from finops.ladder.simulation.charged import Charged, charged_history
from finops.ladder.simulation.model import Options
from finops.ladder.simulation.running import simulate
from finops.ladder.simulation.spend_entries import Charge, entries_of
from finops.ladder.simulation.traffic import read_traffic
from tests.finops.ladder.simulation.examples import HERE, START, ladder, signal, tier

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUDGET = Budget("llm", Decimal(720), "USD", RollingWindow(30 * DAY), HERE)  # one an hour


def hourly(*amounts: str) -> list[Charge]:
    return [
        Charge(START + place * HOUR, START + (place + 1) * HOUR, Decimal(amount))
        for place, amount in enumerate(amounts)
    ]


def rounded(value: Decimal | None) -> Decimal:
    """Without what spreading over twelve entries leaves."""
    assert value is not None
    return round(value, 20)


spans = st.tuples(st.integers(0, 500), st.integers(1, 500), st.integers(-1000, 1000))


@settings(max_examples=25, deadline=None)
@given(st.lists(spans, max_size=8))
def test_charges_that_are_spread_are_worth_the_same(charges: list[tuple[int, int, int]]) -> None:
    made = [
        Charge(START + begin * timedelta(minutes=5), START + (begin + length) * timedelta(minutes=5), Decimal(amount))
        for begin, length, amount in charges
    ]
    entries = entries_of(made, START, START + 4 * DAY)
    assert abs(sum(entries.values(), Decimal(0)) - sum(amount for _, _, amount in charges)) < Decimal("1e-18")


def test_a_charge_counts_in_each_five_minutes_of_its_time() -> None:
    entries = entries_of(hourly("12"), START, START + 2 * HOUR)
    assert [entries[START + (place + 1) * HOUR / 12] for place in range(13)] == [Decimal(1)] * 12 + [Decimal(0)]


def test_burn_rates_follow_from_hourly_charges_as_rules_would_record_them() -> None:
    charged = Charged(START, START + 4 * HOUR, {"llm": BUDGET}, {"llm": hourly("1", "1", "3", "1")})
    burning = replace(signal("burn", Measure.BURN_RATE, HOUR), subject="llm")
    known, history = charged_history(ladder(tier(1, "2", "1.2"), signals=[burning]), charged, START, START + 4 * HOUR)
    by_time = {point.readings.at: point.readings.signals["burn"] for point in history.points}
    assert [rounded(by_time[START + hour * HOUR].value) for hour in (2, 2.5, 3)] == [1, 2, 3]
    assert rounded(by_time[START + 3 * HOUR].per_hour) == 1
    assert rounded(history.points[-1].spend_per_hour) == 1
    found = simulate(known, history, Options())
    assert [(each.at, each.to_tier) for each in found.moves][:1] == [(START + 2.5 * HOUR + timedelta(minutes=2), 1)]


def test_what_a_bill_does_not_know_is_left_out_and_told() -> None:
    signals = [
        replace(signal("burn", Measure.BURN_RATE, HOUR), subject="llm"),
        replace(signal("unusual", Measure.SPIKE, HOUR), subject="llm", detector="traffic"),
        signal("queue"),
    ]
    braked = ladder(tier(1, "2", "1.2"), tier(2, "4", "2", signal="queue"), signals=signals,
                    brakes=(Brake("gateway", Decimal(0), 1, True, HERE),))  # fmt: skip
    charged = Charged(START, START + HOUR, {"llm": BUDGET}, {"llm": hourly("1")})
    known, history = charged_history(braked, charged, START, START + HOUR)
    assert known.brakes == ()
    assert known.tiers[1].enter == braked.tiers[1].enter  # never holds: nobody knows the queue
    assert history.notes == (
        "queue, unusual: not known from this history; conditions are judged without.",
        "Brakes are left out: the error budgets of gateway are not known from this history.",
    )


def test_unit_costs_take_units_from_the_traffic() -> None:
    costly = replace(signal("cost", Measure.UNIT_COST, HOUR), subject="calls")
    traffic = read_traffic("traffic.csv", b"time,units,users\n2026-11-02T00:00:00Z,1000,5\n2026-11-02T01:00:00Z,0,7\n")
    charged = Charged(
        START, START + 3 * HOUR, {}, {}, {"calls": hourly("4", "4", "4")}, {"calls": (Decimal(1000), Decimal(2))},
        tuple(traffic.units()), tuple(traffic.users()),
    )  # fmt: skip
    _, history = charged_history(ladder(tier(1, "2", "1"), signals=[costly]), charged, START, START + 3 * HOUR)
    by_time = {point.readings.at: point for point in history.points}
    first = by_time[START + HOUR]
    assert (rounded(first.readings.signals["cost"].value), first.users) == (2, 5)  # 4 for 1,000; 2 is the target
    assert by_time[START + 2 * HOUR].readings.signals["cost"].quality is Quality.MISSING  # no units
    assert by_time[START + 2.5 * HOUR].users is None  # the traffic is over


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "1:1: is empty"),
        (b"when,units\n", "1:1: has no column time"),
        (b"time,units\n", "1:1: has no rows"),
        (b"time,units\nyesterday,1\n", "2:1: `yesterday` is no time"),
        (b"time,units\n2026-11-02T00:00Z,many\n", "2:1: `many` is no number of units"),
        (b"time,units\n2026-11-02T00:00Z,-1\n", "2:1: `-1` is no number"),
        (b"time,units\n2026-11-02,1\n2026-11-02,2\n", "3:1: the time 2026-11-02T00:00:00Z is there twice"),
        (b"\xff\xfe", "1:1: is not UTF-8"),
    ],
)
def test_a_mistake_in_the_traffic_is_told_with_its_line(content: bytes, says: str) -> None:
    (problem,) = read_traffic("t.csv", content).problems
    assert says in f"{problem.line}:{problem.column}: {problem.message}"


def test_without_users_units_a_minute_stand_for_them() -> None:
    traffic = read_traffic("t.csv", b"Time, Units\n2026-11-02T00:00:00,600\n2026-11-02T01:00:00,1200\n")
    assert [users for _, _, users in traffic.users()] == [10, 20]
    assert not traffic.has_users


def test_a_gap_in_the_traffic_is_no_traffic_of_the_hour_before() -> None:
    traffic = read_traffic("t.csv", b"time,units\n2026-11-02T00:00Z,6\n2026-11-02T01:00Z,6\n2026-11-02T09:00Z,6\n")
    assert [(each.start.hour, each.end.hour) for each in traffic.units()] == [(0, 1), (1, 2), (9, 10)]
    assert isinstance(traffic.rows[0].at, datetime)
