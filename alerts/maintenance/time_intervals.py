"""A maintenance window as Alertmanager's time intervals.

Weekly hours keep their zone. Moments (spans, and rules, which Alertmanager has no words for) are written out in UTC:
rules up to the end of 2037, like the calendars of SLOs, so that a file needs no clock.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.maintenance.active import active_spans
from alerts.maintenance.model import MaintenanceWindow
from alerts.schedules.model import DayTimes
from controlplane.calendar.tables import TABLE_END, TABLE_START
from controlplane.rulefile import scalar

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_MINUTES: Final = 24 * 60
_DAY: Final = timedelta(days=1)
_Piece = tuple[int, int, int, int]  # year, month, first minute of the day, minute at which it ends


def time_intervals(window: MaintenanceWindow) -> Iterator[str]:
    """Lines of YAML: the items of the list `time_intervals` under the window's name."""
    for times in window.weekly:
        yield from _weekly(times, window.zone)
    for (year, month, first, last), days in sorted(_pieces(window).items()):
        when = [f"years: ['{year}']", f"months: ['{month}']", f"days_of_month: [{', '.join(_runs(days))}]"]
        yield from _item(_times(first, last), *when)


def _weekly(times: DayTimes, of: str) -> Iterator[str]:
    first, last = (each.hour * 60 + each.minute for each in (times.start, times.end))
    location = f"location: {scalar(of)}"
    if last > first:
        yield from _item(_times(first, last), _days(times.days), location)
        return
    yield from _item(_times(first, _DAY_MINUTES), _days(times.days), location)
    if last:
        following = frozenset((day + 1) % len(_WEEKDAYS) for day in times.days)
        yield from _item(_times(0, last), _days(following), location)


def _days(days: Iterable[int]) -> str:
    return f"weekdays: [{', '.join(_WEEKDAYS[day] for day in sorted(days))}]"


def _pieces(window: MaintenanceWindow) -> dict[_Piece, list[int]]:
    """Days of a month that have the same minutes, of all moments that are not weekly."""
    moments = MaintenanceWindow(window.name, window.zone, window.spans, (), window.rules)
    start, end = TABLE_START, TABLE_END
    if window.spans:
        start = min(start, *(first for first, _ in window.spans))
        end = max(end, *(last for _, last in window.spans))
    found: dict[_Piece, list[int]] = {}
    for first, last in active_spans(moments, start, end) if window.spans or window.rules else ():
        for day, minute, until in _cut(_minute(first), _minute(last + timedelta(seconds=59))):
            found.setdefault((day.year, day.month, minute, until), []).append(day.day)
    return found


def _cut(start: datetime, end: datetime) -> Iterator[tuple[datetime, int, int]]:
    """By days of UTC: the day, and its minutes."""
    day = start.replace(hour=0, minute=0)
    while day < end:
        first, last = max(start, day), min(end, day + _DAY)
        yield day, int((first - day) / timedelta(minutes=1)), int((last - day) / timedelta(minutes=1))
        day += _DAY


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _runs(days: Iterable[int]) -> Iterator[str]:
    """`'4'`, `'10:12'`."""
    ordered = sorted(set(days))
    at = 0
    while at < len(ordered):
        last = at
        while last + 1 < len(ordered) and ordered[last + 1] == ordered[last] + 1:
            last += 1
        yield f"'{ordered[at]}'" if last == at else f"'{ordered[at]}:{ordered[last]}'"
        at = last + 1


def _times(first: int, last: int) -> str:
    return f"times: [{{start_time: '{_clock(first)}', end_time: '{_clock(last)}'}}]"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _item(first: str, *others: str) -> Iterator[str]:
    yield f"- {first}"
    yield from (f"  {line}" for line in others)
