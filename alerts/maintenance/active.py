"""When a maintenance window is active: at a moment, and as spans of time.

Weekly hours are what the clock on the wall shows, as Alertmanager's time intervals have them: an hour that is skipped
in spring is never, one that comes twice in autumn is twice. Spans and rules are moments.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.maintenance.model import MaintenanceWindow, Recurring
from alerts.schedules.model import DayTimes
from controlplane.calendar.intervals import merged
from controlplane.calendar.recurrence import rule_of, starts_between
from controlplane.calendar.zones import instant, zone

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
Span = tuple[datetime, datetime]  # half-open, aware UTC


def is_active(window: MaintenanceWindow, at: datetime) -> bool:
    """Whether `at` (aware) lies in it."""
    if any(start <= at < end for start, end in window.spans):
        return True
    of = zone(window.zone)
    wall = at.astimezone(of).replace(tzinfo=None)
    if any(_shows(times, wall) for times in window.weekly):
        return True
    return any(start <= at < end for rule in window.rules for start, end in _of_rule(rule, of, at, at + _SECOND))


def active_spans(window: MaintenanceWindow, start: datetime, end: datetime) -> list[Span]:
    """All of its time that has a part in [start, end), in order and apart; spans are whole, not cut.

    Weekly hours that follow one another for longer (all of the week) are cut a day before `start` and after `end`.
    """
    of = zone(window.zone)
    found = [span for span in window.spans if span[0] < end and start < span[1]]
    found += _weekly(window.weekly, of, start - _DAY, end + _DAY)
    found += [span for rule in window.rules for span in _of_rule(rule, of, start, end)]
    seconds = merged((int(first.timestamp()), int(last.timestamp())) for first, last in found)
    spans = [(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)) for first, last in seconds]
    return [span for span in spans if span[0] < end and start < span[1]]


def _shows(times: DayTimes, wall: datetime) -> bool:
    return any(
        begin <= wall < until
        for day in (wall.date(), wall.date() - _DAY)
        if day.weekday() in times.days
        for begin, until in (_on(times, datetime.combine(day, time())),)
    )


def _on(times: DayTimes, midnight: datetime) -> tuple[datetime, datetime]:
    """The hours of a day as a wall clock shows them; they may reach into the next day."""
    until = midnight if times.end > times.start else midnight + _DAY
    return datetime.combine(midnight, times.start), datetime.combine(until, times.end)


def _weekly(weekly: Iterable[DayTimes], of: ZoneInfo, start: datetime, end: datetime) -> Iterator[Span]:
    known = tuple(weekly)
    if not known:
        return
    for first, last, offset in _stretches(of, start, end):
        day = datetime.combine((first + offset).date() - _DAY, time())
        while day < (last + offset).replace(tzinfo=None):
            for times in known:
                if day.weekday() in times.days:
                    begin, until = (each.replace(tzinfo=UTC) - offset for each in _on(times, day))
                    if max(begin, first) < min(until, last):
                        yield max(begin, first), min(until, last)
            day += _DAY


def _stretches(of: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """[start, end) cut where the zone's offset from UTC changes, with the offset of each piece."""
    first = at = start
    offset = _offset(of, start)
    while at < end:
        following = min(at + _DAY, end)
        if _offset(of, following) != offset:
            change = _change(of, at, following)
            yield first, change, offset
            first, offset = change, _offset(of, change)
        at = following
    if first < end:
        yield first, end, offset


def _change(of: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = _offset(of, low)
    low = low.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low) / _SECOND) // 2)
        low, high = (middle, high) if _offset(of, middle) == before else (low, middle)
    return high.replace(microsecond=0)


def _offset(of: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(of).utcoffset() or timedelta(0)


def _of_rule(rule: Recurring, of: ZoneInfo, start: datetime, end: datetime) -> Iterator[Span]:
    length = timedelta(minutes=rule.minutes)
    for begin in starts_between(rule_of(rule.rule), instant(rule.start, of).astimezone(of), of, start - length, end):
        if start < begin + length:
            yield begin, begin + length
