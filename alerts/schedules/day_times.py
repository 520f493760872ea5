"""Hours of weekdays by the clocks of a zone, as spans of time."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.schedules.model import DayTimes
from controlplane.calendar.zones import instant

_DAY: Final = timedelta(days=1)
Span = tuple[datetime, datetime]  # half-open, aware UTC


def holds_at(times: Iterable[DayTimes], zone: ZoneInfo, at: datetime) -> bool:
    """Whether `at` (aware) lies in any of these hours."""
    today = at.astimezone(zone).date()
    return any(
        start <= at < end
        for each in times
        for day in (today - _DAY, today)
        if day.weekday() in each.days
        for start, end in (_span(each, datetime(day.year, day.month, day.day), zone),)  # noqa: DTZ001 -- the wall's
    )


def spans(times: Iterable[DayTimes], zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Span]:
    """Every span of these hours that has a part in [start, end), day by day; some may overlap.

    Hours that clocks skip begin or end when they are turned; of hours that come twice a span takes in the first time at
    its begin, and ends with the first time at its end. A span that is skipped altogether is none.
    """
    known = tuple(times)
    day = _midnight(start, zone) - _DAY
    last = _midnight(end, zone)
    while day <= last:
        for each in known:
            if day.weekday() in each.days:
                first, until = _span(each, day, zone)
                if first < until and first < end and until > start:
                    yield first, until
        day += _DAY


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)


def _span(times: DayTimes, day: datetime, zone: ZoneInfo) -> Span:
    begins = datetime.combine(day, times.start)
    ends = datetime.combine(day if times.end > times.start else day + _DAY, times.end)
    return instant(begins, zone), instant(ends, zone)
