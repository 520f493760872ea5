"""Turns as an iCalendar file (RFC 5545), for calendars of people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from icalendar import Calendar
from icalendar import Event as CalendarEvent

from alerts.schedules.model import Schedule, Turn

_PRODUCT: Final = "-//flyball//on-call schedules//EN"
_DOMAIN: Final = "schedules.flyball.dev"


def calendar_file(turns_of: Iterable[tuple[Schedule, Iterable[Turn]]], made_at: datetime) -> bytes:
    """One event a turn, times in UTC; times without anybody are events, too, marked as free and named so.

    The same turn has the same UID in every file, so that importing again changes instead of doubling.
    """
    calendar = Calendar()
    calendar.add("PRODID", _PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", "On call")
    for schedule, turns in turns_of:
        for turn in turns:
            calendar.add_component(_event(schedule, turn, made_at))
    return bytes(calendar.to_ical())


def _event(schedule: Schedule, turn: Turn, made_at: datetime) -> CalendarEvent:
    event = CalendarEvent()
    title = schedule.display_name or schedule.name
    event.add("UID", f"{schedule.name}-{turn.start:%Y%m%dT%H%M%SZ}@{_DOMAIN}")
    event.add("DTSTAMP", made_at)
    event.add("DTSTART", turn.start)
    event.add("DTEND", turn.end)
    event.add("SUMMARY", f"{turn.participant or 'Nobody'}: {title}")
    event.add("TRANSP", "OPAQUE" if turn.participant else "TRANSPARENT")
    if turn.by:
        event.add("DESCRIPTION", f"by {turn.by}")
    return event
