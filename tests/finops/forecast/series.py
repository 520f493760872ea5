"""Series of days for tests: a function of the day, rounded to cents."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from finops.forecast.model import WHOLE, DailySpend, Days, Forecast, NoForecast

NOVEMBER = Days(date(2026, 11, 1), date(2026, 12, 1))
CENT = Decimal("0.01")


def days_of(
    amount: Callable[[date], float], first: date, last: date, *, late: Iterable[date] = (), gaps: Iterable[date] = ()
) -> list[DailySpend]:
    """`first` … `last`, both included; `late` days are told in part only, `gaps` not at all."""
    late, gaps = set(late), set(gaps)
    return [
        DailySpend(day, Decimal(repr(round(amount(day), 2))), None if day in late else WHOLE)
        for day in Days(first, last + timedelta(days=1))
        if day not in gaps
    ]


def made(told: Forecast | NoForecast) -> Forecast:
    """The forecast, where there must be one."""
    assert isinstance(told, Forecast), told
    return told


def cost_of(amount: Callable[[date], float], window: Days) -> float:
    """What the window really costs."""
    return sum(amount(day) for day in window)


def off_by(told: Forecast, actual: float) -> float:
    """The relative error of the middle."""
    return abs(float(told.middle) - actual) / abs(actual)


def is_weekend(day: date) -> bool:
    """Saturday or Sunday."""
    return day.weekday() >= 5


def is_last_of_month(day: date, days: int) -> bool:
    """Whether it is one of the month's last days."""
    return (day + timedelta(days=days)).month != day.month
