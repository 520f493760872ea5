"""How spending is expected to spread over a window, in exact decimals.

A pace gives each day on the wall calendar of its time zone a weight: that of its weekday, times the factor of the
month's end where it is one of the month's last days. A moment's share of the window is the weighted time up to it,
divided by the weighted time of the whole window. Time is counted in real seconds: a day on which clocks are turned
weighs 23 or 25 hours, so March in Berlin has 743 of them.
"""

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Final

from controlplane.burn_rate import seconds
from controlplane.calendar.periods import Period, period_at
from controlplane.calendar.zones import instant, zone
from controlplane.model.budget import Budget, Pace
from controlplane.model.slo import CalendarWindow, Window

_DAY: Final = timedelta(days=1)
_DIGITS: Final = 50
_LEAST: Final = Decimal("0.01")


def window_at(window: Window, at: datetime) -> Period:
    """The window (half-open, aware UTC) that `at` lies in; of one that rolls: that which ends at `at`."""
    if isinstance(window, CalendarWindow):
        return period_at(window, at)
    return at - window.length, at


def day_weight(pace: Pace, day: date) -> Decimal:
    """What a second of this day weighs."""
    weight = pace.weekdays[day.weekday()]
    last = calendar.monthrange(day.year, day.month)[1]
    return weight * pace.month_end if day.day > last - pace.month_end_days else weight


def weight_between(pace: Pace, start: datetime, end: datetime) -> Decimal:
    """Seconds × weight of `start` … `end` (aware); negative when `end` comes first."""
    if end < start:
        return -weight_between(pace, end, start)
    if pace.is_even:
        return seconds(end - start)
    with localcontext(prec=_DIGITS):
        return sum((seconds(last - first) * weight for first, last, weight in _days(pace, start, end)), Decimal(0))


def share_between(pace: Pace, of: Period, start: datetime, end: datetime) -> Decimal:
    """The share of the window `of` that the pace expects of `start` … `end`; 0 when all of it weighs nothing."""
    whole = weight_between(pace, *of)
    with localcontext(prec=_DIGITS):
        return weight_between(pace, start, end) / whole if whole else Decimal(0)


def pace_ratio(pace: Pace, window: Window, at: datetime) -> Decimal:
    """The share of its window that should have been spent by `at`; always 1 when it rolls."""
    period = window_at(window, at)
    return share_between(pace, period, period[0], at)


def least_expected(budget: Budget, length: timedelta) -> Decimal:
    """What burn rates divide by at least: a hundredth of an even pace.

    Money on a day that weighs nothing then burns fast, instead of infinitely fast or not at all.
    """
    return budget.amount * seconds(length) / seconds(budget.window.length) * _LEAST


def _days(pace: Pace, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Decimal]]:
    """The parts of days that make up `start` … `end`, with their weights."""
    day = start.astimezone(zone(pace.time_zone)).date()
    while (first := _midnight(pace.time_zone, day)) < end:
        following = day + _DAY
        part = (max(start, first), min(end, _midnight(pace.time_zone, following)))
        if part[0] < part[1]:
            yield (*part, day_weight(pace, day))
        day = following


@lru_cache(maxsize=65536)
def _midnight(time_zone: str, day: date) -> datetime:
    return instant(datetime.combine(day, time()), zone(time_zone))
