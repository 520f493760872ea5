"""How right forecasts have been."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from finops.forecast.model import DailySpend, Days, TrackRecord
from finops.forecast.track_record import track_record
from tests.finops.forecast.series import NOVEMBER, days_of


def test_a_series_that_never_changes_was_forecast_without_error() -> None:
    record = track_record(days_of(lambda _: 50, date(2026, 8, 1), date(2026, 11, 10)), NOVEMBER)
    assert record == TrackRecord(8, Decimal("0.0000"), Decimal("1.0000"), 30)


def test_a_series_shorter_than_the_window_is_tried_on_shorter_windows() -> None:
    record = track_record(days_of(lambda _: 50, date(2026, 11, 1), date(2026, 11, 20)), NOVEMBER)
    assert record == TrackRecord(8, Decimal("0.0000"), Decimal("1.0000"), 13)


def test_of_a_few_days_nobody_can_tell() -> None:
    assert track_record(days_of(lambda _: 50, date(2026, 11, 1), date(2026, 11, 9)), NOVEMBER) == TrackRecord(0)
    assert track_record([], NOVEMBER) == TrackRecord(0)


def test_past_windows_with_a_gap_do_not_count() -> None:
    gaps = [date(2026, 10, 20)]
    record = track_record(days_of(lambda _: 50, date(2026, 10, 1), date(2026, 11, 5), gaps=gaps), NOVEMBER)
    assert record.forecasts == 0


def test_a_jump_that_nobody_saw_coming_is_an_error_that_is_told() -> None:
    def amount(day: date) -> float:
        return 400 if day >= date(2026, 11, 5) else 50

    record = track_record(days_of(amount, date(2026, 8, 1), date(2026, 11, 20)), NOVEMBER)
    assert record.error is not None
    assert record.error > Decimal("0.1")
    assert record.coverage is not None
    assert record.coverage < 1


@given(amounts=st.lists(st.decimals(-5, 100, places=2), max_size=70))
@effort(max_examples=10)
def test_any_past_has_a_record_between_nothing_and_everything(amounts: list[Decimal]) -> None:
    days = Days(date(2026, 9, 1), date(2026, 12, 1))
    history = [DailySpend(day, amount) for day, amount in zip(days, amounts, strict=False)]
    record = track_record(history, NOVEMBER, forecasts=3)
    assert record.coverage is None or 0 <= record.coverage <= 1
    assert record.error is None or record.error >= 0
