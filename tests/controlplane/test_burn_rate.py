from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import burn_rate
from controlplane.burn_rate import STANDARD_TIERS, Urgency

DAYS_30 = timedelta(days=30)
periods = st.integers(12, 12 * 24 * 400).map(lambda count: count * burn_rate.LEDGER_INTERVAL)
ratios = st.decimals(Decimal("0.000001"), Decimal("0.5"), places=6)
rates = st.decimals(Decimal("0.001"), Decimal(1000), places=3)


def test_the_thresholds_of_30_days_are_those_of_the_sre_workbook() -> None:
    thresholds = [burn_rate.number(burn_rate.threshold(tier, DAYS_30)) for tier in STANDARD_TIERS]
    assert thresholds == ["14.4", "6", "3", "1"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (28, ["13.44", "5.6", "2.8", "1"]),
        (7, ["3.36", "1.4", "1", "1"]),
        (80, ["38.4", "16", "8", "2.6666666666666667"]),
    ],
)
def test_thresholds_scale_with_the_period_and_keep_17_digits(days: int, expected: list[str]) -> None:
    period = timedelta(days=days)
    assert [burn_rate.number(burn_rate.threshold(tier, period)) for tier in STANDARD_TIERS] == expected


@given(periods)
def test_a_burn_at_the_threshold_spends_the_tiers_share_in_its_long_window_or_keeps_the_objective(
    period: timedelta,
) -> None:
    for tier in STANDARD_TIERS:
        rate = burn_rate.threshold(tier, period)
        spent = burn_rate.budget_spent(rate, tier.long, period)
        assert abs(spent - tier.budget_share) < Decimal("1e-20") or (rate == 1 and spent > tier.budget_share)


@given(periods)
def test_nobody_is_told_of_a_burn_that_keeps_the_objective(period: timedelta) -> None:
    assert all(burn_rate.threshold(tier, period) >= 1 for tier in STANDARD_TIERS)


@given(periods, ratios)
def test_a_tier_can_fire_exactly_if_a_total_outage_exceeds_it(period: timedelta, budget: Decimal) -> None:
    for tier in STANDARD_TIERS:
        assert burn_rate.can_fire(tier, period, budget) == (1 / budget > burn_rate.threshold(tier, period))


def test_a_page_at_14_4_cannot_fire_at_93_percent() -> None:
    fast = STANDARD_TIERS[0]
    assert not burn_rate.can_fire(fast, DAYS_30, Decimal("0.07"))
    assert burn_rate.can_fire(fast, DAYS_30, Decimal("0.0694"))


@given(periods, rates, ratios)
def test_what_burns_until_exhaustion_spends_what_remained(period: timedelta, rate: Decimal, left: Decimal) -> None:
    length = burn_rate.time_to_exhaustion(left, rate, period)
    assert length is not None
    assert abs(burn_rate.budget_spent(rate, length, period) - left) < Decimal("1e-6")


def test_a_spent_budget_is_gone_now_and_one_that_does_not_burn_lasts() -> None:
    assert burn_rate.time_to_exhaustion(Decimal("-0.2"), Decimal(3), DAYS_30) == timedelta(0)
    assert burn_rate.time_to_exhaustion(Decimal("0.2"), Decimal(0), DAYS_30) is None
    assert burn_rate.time_to_exhaustion(Decimal(1), Decimal("1e-30"), DAYS_30) is None


@given(periods)
def test_tiers_that_look_back_further_than_the_period_are_left_out(period: timedelta) -> None:
    kept = burn_rate.tiers_within(period)
    assert all((tier in kept) == (tier.long <= period) for tier in STANDARD_TIERS)


def test_pages_and_tickets_come_in_pairs() -> None:
    assert [tier.urgency for tier in STANDARD_TIERS] == [Urgency.PAGE, Urgency.PAGE, Urgency.TICKET, Urgency.TICKET]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e15"), max_value=Decimal("1e15")))
def test_a_number_reads_back_as_the_same_float_without_exponent(value: Decimal) -> None:
    text = burn_rate.number(value)
    assert "e" not in text.lower()
    assert float(text) == pytest.approx(float(value), rel=1e-15, abs=0)


def test_objectives_leave_exact_budgets() -> None:
    assert burn_rate.number(1 - Decimal("0.999")) == "0.001"
    assert burn_rate.number(1 - Decimal("0.99999")) == "0.00001"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=28), "28d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(seconds=45), "45s"),
        (timedelta(hours=720), "30d"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(length: timedelta, text: str) -> None:
    assert burn_rate.duration(length) == text


def test_30_days_have_8640_ledger_entries() -> None:
    assert burn_rate.ledger_entries(DAYS_30) == 8640
