"""Prices that change over time, without any Prometheus."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.pricing.model import Measure, Price, Schedule, Usage
from finops.pricing.schedule import changes, cost, price_at, unit_price, unpriced_share
from finops.pricing.valuing import Side, add
from tests.finops.pricing.pricing import D, an_item
from tests.finops.pricing.test_prices_in_prometheus import moments, schedules
from tests.slo.evaluating import utc

STEP = timedelta(minutes=5)
BEGIN = utc(2026, 1, 1)
units = st.decimals(0, 1_000_000, places=3)


@given(schedules(), units, moments, st.integers(1, 5_000), st.integers(1, 5_000))
def test_the_parts_of_an_interval_cost_what_the_whole_does(
    schedule: Schedule, used: Decimal, start: datetime, first: int, second: int
) -> None:
    middle, end = start + timedelta(seconds=first), start + timedelta(seconds=first + second)
    share = D(first) / D(first + second)
    parts = [cost(schedule, used * share, start, middle), cost(schedule, used * (1 - share), middle, end)]
    whole = cost(schedule, used, start, end)
    assert (whole is None) == (parts == [None, None])
    total = sum((part for part in parts if part is not None), start=D(0))
    assert total == pytest.approx(whole or D(0), rel=D("1e-20"), abs=D("1e-15"))


@given(schedules(), moments)
def test_what_has_no_price_is_the_rest_of_what_has(schedule: Schedule, at: datetime) -> None:
    end = at + STEP
    one = tuple(Price(D(1), D(1), price.start, price.end) for price in schedule)
    assert (cost(one, D(1), at, end) or D(0)) + unpriced_share(schedule, at, end) == pytest.approx(D(1), rel=D("1e-25"))
    assert (price_at(schedule, at) is None) == (cost(schedule, D(1), at, at + timedelta(microseconds=1)) is None)


@given(schedules(), st.lists(st.floats(0, 1e9), min_size=1, max_size=60), st.integers(0, 400))
def test_usage_of_many_steps_costs_the_sum_of_its_steps(schedule: Schedule, values: list[float], offset: int) -> None:
    points = [(BEGIN + (offset + number + 1) * STEP, value) for number, value in enumerate(values)]
    item = an_item(Usage(Measure.COUNTER, "x"), schedule=schedule)
    side = Side()
    add(item, side, {}, points, schedule)
    each = [cost(schedule, Decimal(repr(value)), at - STEP, at) for at, value in points]
    total = sum((part for part in each if part is not None), start=D(0))
    assert side.by_service.get("", D(0)) == pytest.approx(total, rel=D("1e-18"), abs=D("1e-12"))
    (series,) = side.series.values() or ({},)
    for (at, _), part in zip(points, each, strict=True):
        assert series.get(at, 0.0) == pytest.approx(float(part or 0), rel=1e-9, abs=1e-12)
    missing = sum((Decimal(repr(v)) * unpriced_share(schedule, at - STEP, at) for at, v in points), start=D(0))
    assert side.unpriced == pytest.approx(missing, rel=D("1e-18"), abs=D("1e-9"))


def test_prices_stand_in_rules_digit_for_digit() -> None:
    schedule = (Price(D("0.40")), Price(D("0.12345678901234567"), D(1_000_000), utc(2026, 12, 1)))
    text = unit_price(schedule, STEP)
    assert "0.4 * " in text
    assert "0.12345678901234567 / 1000000 * " in text
    assert "1796083200" in text
    assert changes(schedule) == (utc(2026, 12, 1),)
