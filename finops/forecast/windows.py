"""The days of a budget's window."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from controlplane.calendar.periods import period_at
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from finops.forecast.model import Days


def zone_of(budget: Budget) -> ZoneInfo:
    """The time zone whose days a budget counts: that of its calendar window, or else of its pace."""
    window = budget.window
    return ZoneInfo(window.time_zone if isinstance(window, CalendarWindow) else budget.pace.time_zone)


def window_of(budget: Budget, now: datetime) -> Days:
    """The days of the period that `now` lies in; of a rolling window as many days, beginning today.

    A rolling window never ends: what is forecast is what the next one will cost.
    """
    zone = zone_of(budget)
    if isinstance(budget.window, CalendarWindow):
        start, end = period_at(budget.window, now)
        return Days(start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date() + _DAY)
    today = now.astimezone(zone).date()
    return Days(today, today + max(budget.window.length // _DAY, 1) * _DAY)


def instants(days: Days, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """Each day, when it begins and when it ends, in UTC: 23 or 25 hours apart where clocks are turned."""
    for day in days:
        yield day, midnight(day, zone), midnight(day + _DAY, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


_DAY = timedelta(days=1)
