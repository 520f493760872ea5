"""Whose turn it is in a rotation: counted on the calendar for days and weeks, on the clock for hours."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.schedules.day_times import holds_at, spans
from alerts.schedules.model import Every, Rotation
from controlplane.calendar.zones import instant

_DAYS: Final = {Every.DAY: 1, Every.WEEK: 7}
_HOUR: Final = timedelta(hours=1)
END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)


def participant_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> str:
    """Who has this rotation's turn at `at` (aware); empty before its start, after its end, and outside of its hours."""
    if not starts(rotation, zone) <= at < ends(rotation, zone):
        return ""
    if rotation.only and not holds_at(rotation.only, zone, at):
        return ""
    return rotation.participants[index_at(rotation, zone, at) % len(rotation.participants)]


def starts(rotation: Rotation, zone: ZoneInfo) -> datetime:
    """When it begins, in UTC."""
    return instant(rotation.start, zone)


def ends(rotation: Rotation, zone: ZoneInfo) -> datetime:
    """When it ends, in UTC; far away where nothing is said."""
    return instant(rotation.until, zone) if rotation.until is not None else END_OF_TIME


def boundaries(rotation: Rotation, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Moments within (start, end) at which who has the turn may change. Not in order, some more than once."""
    bounds = (starts(rotation, zone), ends(rotation, zone))
    yield from (each for each in bounds if start < each < end)
    first, last = max(start, bounds[0]), min(end, bounds[1])
    if first >= last:
        return
    index = index_at(rotation, zone, first)
    while (at := turn_start(rotation, zone, index)) < last:
        if at > start:
            yield at
        index += 1
    for span in spans(rotation.only, zone, first, last) if rotation.only else ():
        yield from (each for each in span if start < each < end)


def turn_start(rotation: Rotation, zone: ZoneInfo, index: int) -> datetime:
    """When turn `index` begins, in UTC; 0 is the one at the rotation's start.

    Days and weeks begin at the same time on the wall through changes of the clocks; hours have 60 minutes.
    """
    if rotation.every is Every.HOUR:
        return instant(rotation.start, zone) + index * rotation.count * _HOUR
    return instant(rotation.start + timedelta(days=index * rotation.count * _DAYS[rotation.every]), zone)


def index_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> int:
    """Which turn `at` (aware, not before the rotation's start) lies in."""
    if rotation.every is Every.HOUR:
        return (at - instant(rotation.start, zone)) // (rotation.count * _HOUR)
    local = at.astimezone(zone).replace(tzinfo=None)
    index = (local - rotation.start) // timedelta(days=rotation.count * _DAYS[rotation.every])
    while turn_start(rotation, zone, index) > at:
        index -= 1
    while turn_start(rotation, zone, index + 1) <= at:
        index += 1
    return index
