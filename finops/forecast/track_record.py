"""How right forecasts would have been: the past of a series, forecast as if its end were not known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.budget import STANDARD_PACE, Pace
from finops.forecast.forecasting import forecast
from finops.forecast.model import DailySpend, Days, NoForecast, TrackRecord

FORECASTS: Final = 8
SHARES: Final = tuple(Decimal(part) / 6 for part in (1, 2, 3, 4, 5))  # of a month: after days 5, 10, 15, 20, 25
_MOST_APART: Final = 7
_LEAST_SPAN: Final = 10
_DAY: Final = timedelta(days=1)
_PLACES: Final = Decimal("0.0001")


def track_record(
    history: Sequence[DailySpend], window: Days, pace: Pace = STANDARD_PACE, *, forecasts: int = FORECASTS
) -> TrackRecord:
    """Forecast up to `forecasts` past windows as long as `window`, each after another sixth of it.

    Past windows end on the last whole day, and some days before it; only those that are known whole count. Where the
    series is no longer than the window they are two thirds of the series, from ten days on. The days are taken as they
    are known now: that the latest ones were still incomplete at the time is not replayed.
    """
    whole = {each.day: each.amount for each in history if each.is_whole and each.amount is not None}
    length = _length(whole, len(window))
    errors, hits = [], 0
    for past, origin in _trials(whole, length, forecasts):
        actual = sum((whole[day] for day in past), Decimal(0))
        told = forecast([each for each in history if each.day < origin], past, pace)
        if isinstance(told, NoForecast) or actual == 0:
            continue
        errors.append(abs(told.middle - actual) / abs(actual))
        hits += told.low <= actual <= told.high
    if not errors:
        return TrackRecord(0)
    mean = sum(errors, Decimal(0)) / len(errors)
    return TrackRecord(len(errors), mean.quantize(_PLACES), (Decimal(hits) / len(errors)).quantize(_PLACES), length)


def _length(whole: Mapping[date, Decimal], window: int) -> int:
    """How many days a past window has; 0 where there are too few for any."""
    if not whole:
        return 0
    span = (max(whole) - min(whole)).days + 1
    return window if window < span else span * 2 // 3 if span >= _LEAST_SPAN else 0


def _trials(whole: Mapping[date, Decimal], length: int, forecasts: int) -> Iterator[tuple[Days, date]]:
    """Past windows that are known whole, and the day on which each is to be forecast."""
    if not whole or not length:
        return
    room = (max(whole) - min(whole)).days + 1 - length
    apart = min(max(room // forecasts, 1), _MOST_APART)
    for number in range(min(forecasts, room // apart + 1)):
        end = max(whole) + _DAY - number * apart * _DAY
        past = Days(end - length * _DAY, end)
        elapsed = max(int(length * SHARES[number % len(SHARES)]), 1)
        if all(day in whole for day in past):
            yield past, past.first + elapsed * _DAY
