"""Numbers and times as people say them."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import wording


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.1834, "18.3 %"), (0.18, "18 %"), (1.0, "100 %"), (0.0, "0 %"), (-0.12, "−12 %"), (0.000004, "0.0004 %"),
        (12.3456, "1235 %"), (-1e-15, "0 %"), (None, "no data"), (math.nan, "no data"), (math.inf, "no data"),
    ],
)  # fmt: skip
def test_a_ratio_is_said_in_per_cent_with_three_digits(ratio: float | None, said: str) -> None:
    assert wording.percent(ratio) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.18, "18.0 %"), (0.0437, "4.37 %"), (0.09996, "10.0 %"), (0.9996, "100 %"), (0.9994, "99.9 %"),
        (-0.17, "−17.0 %"), (-1e-9, "0.00 %"), (None, "no data"), (math.nan, "no data"),
    ],
)  # fmt: skip
def test_in_columns_three_digits_are_always_shown(ratio: float | None, said: str) -> None:
    assert wording.aligned_percent(ratio) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.99973, "99.973 %"), (1.0, "100 %"), (0.886, "88.6 %"), (0.95, "95 %"), (0.999, "99.9 %"), (0.0, "0 %"),
        (1 - 1e-13, "100 %"), (None, "no data"),
    ],
)  # fmt: skip
def test_a_share_of_good_events_tells_two_digits_of_the_bad(ratio: float | None, said: str) -> None:
    assert wording.good_percent(ratio) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [("0.999", "99.9 %"), ("0.99950", "99.95 %"), ("0.9", "90 %"), ("0.5", "50 %"), ("0.99999999", "99.999999 %")],
)
def test_what_somebody_wrote_is_said_digit_for_digit(written: str, said: str) -> None:
    assert wording.exact_percent(Decimal(written)) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "0 s"), (timedelta(seconds=59.4), "59 s"), (timedelta(seconds=59.7), "1 min"),
        (timedelta(minutes=67), "1 h 7 min"), (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
        (timedelta(days=400), "more than a year"), (timedelta(seconds=-3), "0 s"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_its_two_largest_units(length: timedelta, said: str) -> None:
    assert wording.duration(length) == said


def test_windows_counts_rates_and_times_are_said_plainly() -> None:
    assert [wording.window(it) for it in (timedelta(days=28), timedelta(hours=36), timedelta(minutes=90))] == [
        "28-day", "36-hour", "90-minute",
    ]  # fmt: skip
    assert [wording.count(it) for it in (1234567.8, 3.0, 7776.4, None)] == ["1,234,568", "3", "7776", "no data"]
    assert [wording.times(it) for it in (14.42, 0.0, None)] == ["14.4×", "0×", "no data"]
    assert wording.utc(datetime(2026, 9, 16, 12, 34, 56, tzinfo=UTC)) == "2026-09-16 12:34 UTC"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_what_is_said_is_within_half_a_unit_of_the_third_digit(value: float) -> None:
    said = float(wording.significant(value).replace("−", "-"))
    assert math.isclose(said, value, rel_tol=0.005, abs_tol=0.5e-6)
    assert (said < 0) == (value < 0 and said != 0)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (Decimal("12345.678"), "12,346 USD"), (0.09561, "0.0956 USD"), (Decimal("18000"), "18,000 USD"),
        (4.5, "4.5 USD"), (9.996, "10 USD"), (Decimal(0), "0 USD"), (-0.0, "0 USD"), (Decimal("-3.456"), "−3.46 USD"),
        (Decimal("1E+6"), "1,000,000 USD"), (Decimal("0.000012345"), "0.0000123 USD"),
        (None, "no data"), (float("nan"), "no data"), (Decimal("Infinity"), "no data"),
    ],
)  # fmt: skip
def test_money_is_said_with_its_currency_and_no_more_digits_than_matter(
    amount: Decimal | float | None, said: str
) -> None:
    assert wording.money(amount, "USD") == said
