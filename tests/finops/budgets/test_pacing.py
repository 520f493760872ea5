"""Shares of a window add up to 1, over any split, in any zone; a day on which clocks are turned counts its hours."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.calendar.periods import period_at
from controlplane.model.budget import Pace
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from finops.budgets.pacing import day_weight, pace_ratio, share_between, weight_between, window_at
from tests.finops.budgets.reading import BERLIN_MONTH, MONTH

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana"]
WEIGHTS = st.decimals(0, 5, places=2, allow_nan=False)
PACES = st.builds(
    Pace,
    weekdays=st.tuples(*[WEIGHTS] * 7).filter(any),
    month_end=st.decimals("0.1", 5, places=1),
    month_end_days=st.integers(0, 28),
    time_zone=st.sampled_from(ZONES),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(1_610_000_000, 2_050_000_000).map(lambda unix: EPOCH + timedelta(seconds=unix))
WINDOWS = st.one_of(
    st.builds(
        CalendarWindow,
        st.just(1),
        st.sampled_from([unit for unit in CalendarUnit if unit is not CalendarUnit.DAY]),
        st.just("2024-01-01T00:00:00"),
        st.sampled_from(ZONES),
    ),
    st.builds(RollingWindow, st.integers(1, 60).map(lambda days: timedelta(days=days))),
)
TINY = Decimal("1e-26")


@given(PACES, WINDOWS, MOMENTS, st.lists(st.integers(0, 10**9), max_size=6))
def test_the_shares_of_any_split_of_a_window_add_up_to_one(
    pace: Pace, window: CalendarWindow | RollingWindow, at: datetime, cuts: list[int]
) -> None:
    start, end = period = window_at(window, at)
    length = (end - start) // timedelta(seconds=1)
    places = sorted({0, length, *(cut % length for cut in cuts)})
    moments = [start + timedelta(seconds=place) for place in places]
    parts = list(pairwise(moments))
    assert sum(weight_between(pace, *part) for part in parts) == weight_between(pace, *period)
    shares = [share_between(pace, period, *part) for part in parts]
    if weight_between(pace, *period) == 0:  # such as a week of nothing but days that weigh nothing
        assert set(shares) == {0}
    else:
        assert abs(sum(shares) - 1) < TINY
        assert min(shares) >= 0


@given(WINDOWS, MOMENTS)
def test_an_even_pace_is_the_share_of_time(window: CalendarWindow | RollingWindow, at: datetime) -> None:
    start, end = window_at(window, at)
    share = Decimal((at - start) // timedelta(seconds=1)) / Decimal((end - start) // timedelta(seconds=1))
    assert abs(pace_ratio(Pace(), window, at) - share) < Decimal("1e-27")


@given(PACES, MOMENTS, MOMENTS)
def test_an_uneven_pace_with_equal_days_is_an_even_one(pace: Pace, start: datetime, end: datetime) -> None:
    end = start + (end - start) % timedelta(days=400)
    flat = Pace(
        (Decimal(2),) * 6 + (Decimal("2.0"),), month_end=Decimal(2), month_end_days=31, time_zone=pace.time_zone
    )
    assert weight_between(flat, start, end) == 4 * weight_between(Pace(), start, end)


def test_march_in_berlin_has_743_hours_and_the_day_of_the_change_twenty_three() -> None:
    start, end = period_at(BERLIN_MONTH, datetime(2026, 3, 15, tzinfo=UTC))
    pace = Pace((Decimal(1),) * 6 + (Decimal(2),), time_zone="Europe/Berlin")  # Sundays count twice
    sundays = 24 * 4 + 23
    assert weight_between(pace, start, end) == (743 - sundays + 2 * sundays) * 3600
    change = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert share_between(Pace(), (start, end), change, change + timedelta(hours=23)) * 743 == pytest.approx(23)


def test_the_last_days_of_a_month_weigh_more() -> None:
    pace = Pace(month_end=Decimal(3), month_end_days=3)
    weights = [day_weight(pace, date(2028, 2, day)) for day in (26, 27, 28, 29)]  # a leap year
    assert weights == [1, 3, 3, 3]
    at = datetime(2028, 2, 27, tzinfo=UTC)
    assert pace_ratio(pace, MONTH, at) * (26 + 9) == pytest.approx(26)


def test_a_window_that_rolls_is_always_at_its_end() -> None:
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    pace = Pace((Decimal(1), *(Decimal(0),) * 6))
    assert pace_ratio(pace, RollingWindow(timedelta(days=30)), at) == 1
