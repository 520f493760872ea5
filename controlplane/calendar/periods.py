"""The periods of a calendar window: half-open, one after the other, in both directions from its start."""

import calendar
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from controlplane.calendar.zones import instant, zone
from controlplane.model.slo import CalendarUnit, CalendarWindow

_DAYS: Final = {CalendarUnit.DAY: 1, CalendarUnit.WEEK: 7}
_MONTHS: Final = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}
Period = tuple[datetime, datetime]  # half-open, aware UTC


def is_of_days(window: CalendarWindow) -> bool:
    """Whether its periods are a fixed number of days, else of months."""
    return window.unit in _DAYS


def days_of(window: CalendarWindow) -> int:
    """The number of days on the wall calendar of a window of days or weeks."""
    return window.count * _DAYS[window.unit]


def local_boundary(window: CalendarWindow, index: int) -> datetime:
    """Where period `index` begins on the wall; 0 is the one that begins at `start`.

    A month without the start's day begins at its last day, and the next one at the day itself again.
    """
    start = datetime.fromisoformat(window.start)
    if is_of_days(window):
        return start + timedelta(days=index * days_of(window))
    months = start.year * 12 + start.month - 1 + index * window.count * _MONTHS[window.unit]
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


@lru_cache(maxsize=65536)
def boundary(window: CalendarWindow, index: int) -> datetime:
    """When period `index` begins, in UTC. Raises OverflowError or ValueError outside of the years 1 … 9999."""
    return instant(local_boundary(window, index), zone(window.time_zone))


def index_at(window: CalendarWindow, at: datetime) -> int:
    """The period that `at` (aware) lies in."""
    local = at.astimezone(zone(window.time_zone)).replace(tzinfo=None)
    start = datetime.fromisoformat(window.start)
    if is_of_days(window):
        index = (local - start) // timedelta(days=days_of(window))
    else:
        months = (local.year - start.year) * 12 + local.month - start.month
        index = months // (window.count * _MONTHS[window.unit])
    while boundary(window, index) > at:
        index -= 1
    while boundary(window, index + 1) <= at:
        index += 1
    return index


def period_at(window: CalendarWindow, at: datetime) -> Period:
    """The period that `at` (aware) lies in."""
    index = index_at(window, at)
    return boundary(window, index), boundary(window, index + 1)


def periods_between(window: CalendarWindow, first: datetime, last: datetime) -> tuple[Period, ...]:
    """Every period that has a part in `first` … `last`, in order."""
    indices = range(index_at(window, first), index_at(window, last) + 1)
    return tuple((boundary(window, index), boundary(window, index + 1)) for index in indices)


def unix(at: datetime) -> int:
    """Whole seconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
