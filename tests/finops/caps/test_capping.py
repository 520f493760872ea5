"""How many replicas the rest of a budget pays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from controlplane.model.source import SourcePosition
from finops.caps.capping import Limits, Reason, cap, maximum_of, state_of, whole
from finops.caps.model import AutoscalingCap, BudgetState, FixedPrice, ResourceTrigger, Target

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = SourcePosition("x.yaml", 1, 1)
ONE = Decimal(1)

money = st.decimals(-10_000, 1_000_000, places=6, allow_nan=False)
prices = st.decimals("0.000001", 1000, places=6, allow_nan=False)
hours = st.decimals("0.01", 9000, places=4, allow_nan=False)
shares = st.decimals("0.0001", 1, places=4, allow_nan=False)
previous = st.none() | st.integers(0, 2000)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    least = draw(st.integers(0, 50))
    return Limits(
        least, draw(st.integers(max(least, 1), 1000)), draw(st.sampled_from([Decimal(0), Decimal("0.1"), ONE]))
    )


@pytest.mark.parametrize(
    ("remaining", "hours_left", "price", "share", "replicas"),
    [
        ("240", "24", "1", "1", 10),
        ("239.99", "24", "1", "1", 9),
        ("240", "24", "1", "0.5", 5),
        ("240", "48", "1", "1", 5),
        ("240", "24", "2.5", "1", 4),
    ],
)
def test_it_is_what_the_rest_pays_for_each_hour_until_the_end_rounded_down(
    remaining: str, hours_left: str, price: str, share: str, replicas: int
) -> None:
    made = cap(Decimal(remaining), Decimal(hours_left), Decimal(price), share=Decimal(share), limits=Limits(1, 100))
    assert (made.replicas, made.reason) == (replicas, Reason.MONEY)


@pytest.mark.parametrize("remaining", ["0", "-250", "3"])
def test_without_money_the_p0_minimum_stays(remaining: str) -> None:
    made = cap(Decimal(remaining), Decimal(24), ONE, share=ONE, limits=Limits(3, 100))
    assert (made.replicas, made.reason) == (3, Reason.P0)


def test_more_money_than_the_ceiling_needs_gives_the_ceiling() -> None:
    made = cap(Decimal(1_000_000), Decimal(24), ONE, share=ONE, limits=Limits(3, 100))
    assert (made.replicas, made.reason) == (100, Reason.CEILING)


@pytest.mark.parametrize(("remaining", "left", "price"), [(None, "24", "1"), ("99", "24", None), ("99", "0", "1")])
def test_what_is_not_known_holds_the_last_maximum_or_else_the_p0_minimum(
    remaining: str | None, left: str, price: str | None
) -> None:
    known = [None if one is None else Decimal(one) for one in (remaining, price)]
    blind = cap(known[0], Decimal(left), known[1], share=ONE, limits=Limits(2, 10))
    assert (blind.replicas, blind.reason) == (2, Reason.P0_BLIND if price else Reason.P0_UNPRICED)
    held = cap(known[0], Decimal(left), known[1], share=ONE, limits=Limits(2, 10), previous=7)
    assert (held.replicas, held.reason) == (7, Reason.HELD_BLIND if price else Reason.HELD_UNPRICED)
    assert cap(known[0], Decimal(left), known[1], share=ONE, limits=Limits(2, 10), previous=70).replicas == 10
    assert cap(known[0], Decimal(left), known[1], share=ONE, limits=Limits(2, 10), previous=1).replicas == 2


def test_a_figure_that_swings_does_not_move_the_maximum() -> None:
    current, seen = 10, []
    for pays in ("10.01", "9.99", "10.01", "10.9", "9.99", "11.0", "9.2"):
        made = cap(Decimal(pays), ONE, ONE, share=ONE, limits=Limits(1, 100), previous=current)
        current = made.replicas
        seen.append(current)
    assert seen == [10, 9, 9, 9, 9, 11, 9]


@given(money, money, hours, prices, shares, limits(), previous)
def test_more_money_never_gives_fewer_replicas(
    less: Decimal, more: Decimal, left: Decimal, price: Decimal, share: Decimal, bounds: Limits, before: int | None
) -> None:
    less, more = sorted((less, more))
    lower, higher = (cap(one, left, price, share=share, limits=bounds, previous=before) for one in (less, more))
    assert lower.replicas <= higher.replicas


@given(st.none() | money, hours, st.none() | prices, shares, limits(), previous)
def test_it_never_falls_below_the_p0_minimum_nor_rises_above_the_ceiling(
    remaining: Decimal | None, left: Decimal, price: Decimal | None, share: Decimal, bounds: Limits, before: int | None
) -> None:
    made = cap(remaining, left, price, share=share, limits=bounds, previous=before)
    assert bounds.p0_minimum <= made.replicas <= bounds.ceiling


@given(hours, shares, limits(), previous)
def test_not_knowing_never_raises_it_above_what_was_in_force(
    left: Decimal, share: Decimal, bounds: Limits, before: int | None
) -> None:
    made = cap(None, left, ONE, share=share, limits=bounds, previous=before)
    assert made.replicas <= max(bounds.p0_minimum, before or 0)


@given(
    money,
    hours,
    st.lists(st.tuples(prices, st.integers(1, 100), limits(), previous), min_size=1, max_size=6),
)
def test_what_all_caps_of_a_budget_allow_costs_no_more_than_is_left(
    remaining: Decimal, left: Decimal, workloads: list[tuple[Decimal, int, Limits, int | None]]
) -> None:
    """But for P0 minimums, which are worth more than the budget."""
    weights = sum(weight for _, weight, _, _ in workloads)
    spent = Decimal(0)
    for price, weight, bounds, before in workloads:
        share = (Decimal(weight) / weights).quantize(Decimal("0.000001"), rounding="ROUND_DOWN")
        made = cap(remaining, left, price, share=share, limits=bounds, previous=before)
        if made.replicas > bounds.p0_minimum:
            spent += made.replicas * price * left
    assert spent <= max(remaining, Decimal(0))


MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "UTC")


def budget(window: CalendarWindow | RollingWindow = MONTH) -> Budget:
    return Budget("infrastructure", Decimal(18_000), "USD", window, HERE)


def test_a_calendar_budget_must_last_until_its_period_ends() -> None:
    state = state_of(budget(), Decimal(11_000), NOW)
    assert state == BudgetState("USD", Decimal(7_000), Decimal(252), NOW)


def test_of_a_rolling_budget_what_falls_out_meanwhile_may_be_spent_again() -> None:
    state = state_of(budget(RollingWindow(timedelta(days=30))), Decimal(12_000), NOW)
    assert (state.remaining, state.hours_left) == (Decimal(9_000), Decimal(180))


def test_from_files_alone_the_whole_amount_must_last_for_the_whole_window() -> None:
    assert whole(budget()) == BudgetState("USD", Decimal(18_000), Decimal(720), None)


def gateway() -> AutoscalingCap:
    return AutoscalingCap(
        "gateway", Target("edge", "gateway"), "infrastructure", FixedPrice(ONE), ONE, 2, 2, 50,
        (ResourceTrigger("cpu", 65),), HERE,
    )  # fmt: skip


def test_a_state_is_believed_for_ten_minutes() -> None:
    for age, replicas in ((timedelta(minutes=10), 10), (timedelta(minutes=10, seconds=1), 2)):
        state = BudgetState("USD", Decimal(240), Decimal(24), NOW - age)
        assert maximum_of(gateway(), state, ONE, NOW).replicas == replicas
    assert maximum_of(gateway(), BudgetState("USD", Decimal(240), Decimal(24)), ONE, NOW).replicas == 10


def test_a_free_replica_is_paid_by_any_money_but_not_by_debts() -> None:
    free = [cap(Decimal(left), ONE, Decimal(0), share=ONE, limits=Limits(2, 9)).replicas for left in (1, -1)]
    assert free == [9, 2]
