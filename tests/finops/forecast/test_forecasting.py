"""What a window will cost: right about patterns that were seen, honest about what was not."""

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from controlplane.model.budget import Pace
from finops.allocation.exact import total
from finops.forecast.forecasting import forecast
from finops.forecast.model import WHOLE, DailySpend, Days, Forecast, Method, NoForecast
from tests.finops.forecast.series import NOVEMBER, cost_of, days_of, is_last_of_month, is_weekend, made, off_by

SUMMER = date(2026, 8, 1)
TENTH = date(2026, 11, 10)
AMOUNTS = st.one_of(
    st.none(),
    st.decimals(-(10**9), 10**12, places=6),
    st.just(Decimal(0)),
    st.sampled_from([10**17, -(10**17)]).map(Decimal),
)
WEIGHTS = st.tuples(*[st.sampled_from([Decimal(0), Decimal(1), Decimal("0.001")])] * 7)
COVERED = st.one_of(st.none(), st.decimals(0, 1, places=3), st.just(WHOLE))
HISTORIES = st.lists(
    st.builds(
        lambda ago, amount, covered: DailySpend(date(2026, 11, 20) - timedelta(days=ago), amount, covered),
        st.integers(0, 90), AMOUNTS, COVERED,
    ),
    unique_by=lambda each: each.day,
    max_size=60,
)  # fmt: skip


@given(history=HISTORIES, weekdays=WEIGHTS)
@effort(max_examples=60)
def test_any_history_and_pace_give_ordered_bounds_or_a_reason(
    history: list[DailySpend], weekdays: tuple[Decimal, ...]
) -> None:
    told = forecast(history, NOVEMBER, Pace(weekdays))
    if isinstance(told, NoForecast):
        assert told.why
        return
    assert told.low <= told.middle <= told.high
    assert told.spent == total(each.amount for each in history if each.day in NOVEMBER and each.amount is not None)
    assert [band.day for band in told.path] == list(NOVEMBER)
    assert all(band.low <= band.middle <= band.high for band in told.path)
    assert (told.path[-1].low, told.path[-1].middle) == (told.low, told.middle)


def test_a_window_that_is_known_whole_costs_exactly_what_it_cost() -> None:
    history = days_of(lambda day: 10 + day.day / 3, SUMMER, date(2026, 11, 30))
    told = made(forecast(history, NOVEMBER))
    spent = total(each.amount or Decimal(0) for each in history if each.day in NOVEMBER)
    assert told.low == told.middle == told.high == told.spent == spent


def test_weekends_that_were_cheap_will_be_cheap() -> None:
    def amount(day: date) -> float:
        return 20 if is_weekend(day) else 100

    told = made(forecast(days_of(amount, SUMMER, TENTH), NOVEMBER))
    assert off_by(told, cost_of(amount, NOVEMBER)) < 0.01
    assert told.method is Method.SEASONAL


def test_the_end_of_the_month_that_was_dear_twice_will_be_dear_again() -> None:
    def amount(day: date) -> float:
        return 300 if is_last_of_month(day, 2) else 100

    told = made(forecast(days_of(amount, date(2026, 9, 1), TENTH), NOVEMBER))
    straight = cost_of(amount, Days(NOVEMBER.first, TENTH + timedelta(days=1))) / 10 * 30
    actual = cost_of(amount, NOVEMBER)
    assert off_by(told, actual) < 0.04 < abs(straight - actual) / actual


def test_a_fee_on_the_first_day_is_not_extrapolated() -> None:
    def amount(day: date) -> float:
        return 1100 if day.day == 1 else 100

    told = made(forecast(days_of(amount, date(2026, 9, 15), date(2026, 11, 5)), NOVEMBER))
    assert off_by(told, cost_of(amount, NOVEMBER)) < 0.05


def test_a_trend_goes_on() -> None:
    def amount(day: date) -> float:
        return 100 * 1.01 ** (day - SUMMER).days

    told = made(forecast(days_of(amount, SUMMER, TENTH), NOVEMBER))
    assert off_by(told, cost_of(amount, NOVEMBER)) < 0.03


def test_a_level_that_moved_days_ago_is_the_level() -> None:
    def amount(day: date) -> float:
        return 160 if day >= date(2026, 11, 2) else 100

    told = made(forecast(days_of(amount, SUMMER, date(2026, 11, 14)), NOVEMBER))
    assert off_by(told, cost_of(amount, NOVEMBER)) < 0.08


def test_one_spike_is_paid_once() -> None:
    def amount(day: date) -> float:
        return 1000 if day == date(2026, 11, 9) else 100

    told = made(forecast(days_of(amount, SUMMER, TENTH), NOVEMBER))
    actual = cost_of(amount, NOVEMBER)
    assert off_by(told, actual) < 0.1
    straight = cost_of(amount, Days(NOVEMBER.first, TENTH + timedelta(days=1))) * 3
    assert abs(straight - actual) / actual > 0.4


def test_latest_days_that_are_still_being_filled_in_are_not_taken_for_cheap_ones() -> None:
    def seen(day: date) -> float:
        return {TENTH: 10.0, TENTH - timedelta(days=1): 60.0}.get(day, 100.0)

    late = [TENTH - timedelta(days=1), TENTH]
    told = made(forecast(days_of(seen, SUMMER, TENTH, late=late), NOVEMBER))
    assert off_by(told, 3000) < 0.01
    assert told.spent == 870


def test_days_that_nobody_recorded_count_as_usual_ones_and_are_told() -> None:
    gaps = [date(2026, 11, 4), date(2026, 11, 5)]
    told = made(forecast(days_of(lambda _: 100, SUMMER, TENTH, gaps=gaps), NOVEMBER))
    assert told.spent == 800
    assert off_by(told, 3000) < 0.01
    assert told.days_estimated == 2
    assert "2 of the window's days were not recorded" in told.why


def test_what_is_over_of_today_is_known_and_the_rest_expected() -> None:
    history = days_of(lambda _: 100, SUMMER, TENTH)
    today = DailySpend(date(2026, 11, 11), Decimal(80), Decimal("0.5"))
    with_today, without = (made(forecast(days, NOVEMBER)) for days in ([*history, today], history))
    assert with_today.spent == 1080
    assert float(with_today.middle) == pytest.approx(float(without.middle) + 30, abs=0.5)


def test_the_last_evening_of_a_window_is_nearly_certain() -> None:
    history = days_of(lambda day: 100 + day.toordinal() % 7, SUMMER, date(2026, 11, 29))
    evening = DailySpend(date(2026, 11, 30), Decimal(90), Decimal("0.9"))
    morning = DailySpend(date(2026, 11, 30), Decimal(10), Decimal("0.1"))
    sure, unsure = (made(forecast([*history, day], NOVEMBER)) for day in (evening, morning))
    assert sure.high - sure.low < (unsure.high - unsure.low) / 5


def test_nothing_spent_at_all_is_forecast_as_nothing() -> None:
    told = made(forecast(days_of(lambda _: 0, SUMMER, TENTH), NOVEMBER))
    assert (told.low, told.middle, told.high) == (0, 0, 0)


def test_credits_make_the_lower_bound_lower_than_what_was_spent() -> None:
    def amount(day: date) -> float:
        return -400 if day.day == 8 else 100

    last = date(2026, 11, 28)
    told = made(forecast(days_of(amount, SUMMER, last), NOVEMBER))
    assert told.low <= told.middle <= told.high
    spiky = made(forecast(days_of(lambda day: abs(amount(day)), SUMMER, last), NOVEMBER))
    assert spiky.low >= spiky.spent


@pytest.mark.parametrize(("month", "hours"), [(3, 743), (10, 745)])
def test_a_day_on_which_clocks_are_turned_has_its_own_length(month: int, hours: int) -> None:
    """Berlin in March has 743 hours, in October 745; one euro an hour."""
    turned = {date(2026, 3, 29): 23.0, date(2026, 10, 25): 25.0}
    window = Days(date(2026, month, 1), date(2026, month + 1, 1))
    history = days_of(lambda day: turned.get(day, 24.0), window.first - timedelta(days=40), date(2026, month, 20))
    told = made(forecast(history, window, Pace(time_zone="Europe/Berlin")))
    assert told.middle == hours


def test_no_whole_day_is_a_reason_to_say_nothing() -> None:
    today = DailySpend(date(2026, 11, 1), Decimal(3), Decimal("0.4"))
    for history in ([], [today]):
        told = forecast(history, NOVEMBER)
        assert isinstance(told, NoForecast)
        assert "no day is known whole yet" in told.why


def test_days_of_long_ago_say_nothing_of_a_window() -> None:
    told = forecast(days_of(lambda _: 100, SUMMER, date(2026, 9, 1)), NOVEMBER)
    assert isinstance(told, NoForecast)
    assert "2026-09-01" in told.why


def test_the_first_days_of_a_new_budget_are_spread_by_the_declared_pace() -> None:
    pace = Pace(weekdays=(Decimal(1),) * 5 + (Decimal(0),) * 2)
    first = date(2026, 11, 2)  # a Monday: the 1st, a Sunday, was before anything was recorded
    told = made(forecast(days_of(lambda _: 100, first, date(2026, 11, 3)), NOVEMBER, pace))
    assert told.method is Method.PACE
    assert off_by(told, 21 * 100) < 0.02


def test_a_short_history_is_less_sure_than_a_long_one() -> None:
    def amount(day: date) -> float:
        return 100 + 5 * math.sin(day.toordinal() * 1.7)

    few = made(forecast(days_of(amount, date(2026, 11, 1), date(2026, 11, 3)), NOVEMBER))
    many = made(forecast(days_of(amount, SUMMER, date(2026, 11, 3)), NOVEMBER))
    assert few.high - few.low > many.high - many.low


@given(factor=st.sampled_from([Decimal("0.001"), Decimal(7), Decimal(1000)]))
@effort(max_examples=3)
def test_another_unit_of_money_changes_the_figures_and_nothing_else(factor: Decimal) -> None:
    history = days_of(lambda day: 100 + 30 * math.sin(day.toordinal()), SUMMER, TENTH)
    plain = made(forecast(history, NOVEMBER))
    scaled = made(forecast([DailySpend(each.day, (each.amount or 0) * factor) for each in history], NOVEMBER))
    for bound in ("low", "middle", "high"):
        assert float(getattr(scaled, bound) / factor) == pytest.approx(float(getattr(plain, bound)), rel=1e-4)


def test_an_amount_that_must_be_a_mistake_is_not_forecast_from() -> None:
    history = [*days_of(lambda _: 100, SUMMER, TENTH), DailySpend(date(2026, 11, 11), Decimal("1e300"))]
    told = forecast(history, NOVEMBER)
    assert isinstance(told, NoForecast)
    assert "a mistake" in told.why


def test_amounts_of_any_length_are_added_exactly() -> None:
    history = [
        DailySpend(day, Decimal("123456789012345678.123456789012345678")) for day in Days(SUMMER, date(2026, 11, 3))
    ]
    told = forecast(history, NOVEMBER)
    assert isinstance(told, Forecast)
    assert told.spent == Decimal("246913578024691356.246913578024691356")
    whole = made(forecast([DailySpend(day, history[0].amount) for day in NOVEMBER], NOVEMBER))
    assert whole.low == whole.middle == whole.high == whole.spent
