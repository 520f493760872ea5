"""Unit costs of the past against an independent computation in fractions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.series import Series
from controlplane.model.spend import SpendRow, SpendTable
from exporters.unit_cost.history import (
    DailyAmount,
    by_day,
    comparable_until,
    daily_money,
    daily_units,
    unit_costs,
)

DAYS = [f"2026-11-{day:02d}T00:00:00Z" for day in range(1, 6)]
GROUPS = st.sampled_from([("alpha",), ("beta",), (None,)])
MONEY = st.lists(
    st.builds(DailyAmount, st.sampled_from(DAYS), GROUPS, st.decimals(min_value=-(10**6), max_value=10**9, places=12)),
    max_size=15,
)
UNITS = st.lists(
    st.builds(DailyAmount, st.sampled_from(DAYS), GROUPS, st.decimals(min_value=0, max_value=10**12, places=3)),
    max_size=15,
)


@given(MONEY, UNITS)
def test_only_days_of_which_both_are_known_count(money: list[DailyAmount], units: list[DailyAmount]) -> None:
    rows = {row.group: row for row in unit_costs(money, units, Decimal(1000))}
    for group in {each.group for each in (*money, *units)}:
        paid = {each.day for each in money if each.group == group}
        counted = {each.day for each in units if each.group == group}
        both = paid & counted
        cost = sum(Fraction(each.amount) for each in money if each.group == group and each.day in both)
        count = sum(Fraction(each.amount) for each in units if each.group == group and each.day in both)
        row = rows[group]
        assert (row.days, Fraction(row.cost), Fraction(row.units)) == (len(both), cost, count)
        assert (row.value is None) == (count == 0)
        if row.value is not None:
            exact = cost * 1000 / count
            assert abs(Fraction(row.value) - exact) <= abs(exact) / 10**27
        everything = sum(Fraction(each.amount) for each in money if each.group == group)
        assert Fraction(row.cost) + Fraction(row.uncounted) == everything
        assert Fraction(row.units) + Fraction(row.unpaid) == sum(
            Fraction(each.amount) for each in units if each.group == group
        )


def test_a_day_without_units_counts_with_its_cost_and_one_of_unknown_units_does_not() -> None:
    money = [DailyAmount(day, (), Decimal(10)) for day in DAYS[:3]]
    units = [DailyAmount(DAYS[0], (), Decimal(0)), DailyAmount(DAYS[1], (), Decimal(40))]
    (row,) = unit_costs(money, units, Decimal(1))
    assert (row.days, row.cost, row.units, row.value, row.uncounted) == (2, 20, 40, Decimal("0.5"), 10)
    assert [(each.cost, each.units, each.value) for each in by_day(money, units, Decimal(1))] == [
        (10, 0, None), (10, 40, Decimal("0.25")), (10, None, None),
    ]  # fmt: skip


def test_without_any_units_there_is_no_value() -> None:
    (row,) = unit_costs([DailyAmount(DAYS[0], (), Decimal(1))], [DailyAmount(DAYS[0], (), Decimal(0))], Decimal(1))
    assert row.value is None


def test_other_currencies_are_left_out() -> None:
    rows = (
        SpendRow((DAYS[0], "alpha"), "EUR", Decimal(5), Decimal(5)),
        SpendRow((DAYS[0], "alpha"), "USD", Decimal(1), Decimal(2)),
    )
    table = SpendTable(("day", "tenant"), rows)
    assert daily_money(table, ["tenant"], "USD") == (DailyAmount(DAYS[0], ("alpha",), Decimal(1)),)


def test_a_point_at_midnight_is_the_day_before_and_what_is_no_number_is_missing() -> None:
    midnight = datetime(2026, 11, 2, tzinfo=UTC)
    points = ((midnight, 4.0), (midnight, float("nan")), (midnight, -1.0), (midnight, float("inf")))
    assert daily_units([Series({}, points)], ["tenant"]) == (DailyAmount(DAYS[0], (None,), Decimal("4.0")),)


def test_a_day_that_the_ledger_knows_in_part_is_not_compared() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    known = datetime(2026, 11, 20, 14, tzinfo=UTC)
    assert comparable_until(known, start, end) == datetime(2026, 11, 20, tzinfo=UTC)
    assert comparable_until(end + timedelta(days=3), start, end) == end
    assert comparable_until(start - timedelta(days=3), start, end) == start
    assert comparable_until(None, start, end) == start
