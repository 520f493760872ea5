"""Scheduled maintenances as iCalendar (RFC 5545), to subscribe to: times in UTC, so that every calendar agrees."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.model.public_status import PublicIncident, PublicSnapshot
from synthetics.status_page.rendering import names, standing
from synthetics.status_page.rendering.feeds import changed, host

if TYPE_CHECKING:
    from icalendar import Event

_PRODUCT: Final = "-//Flyball//Status page//EN"
_REFRESH: Final = timedelta(hours=1)


def files(snapshot: PublicSnapshot) -> Iterator[tuple[str, bytes]]:
    """One calendar; an event's UID stays, and its SEQUENCE grows with each change."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", snapshot.page.name)
    calendar.add("x-wr-timezone", snapshot.page.time_zone)
    calendar.add("refresh-interval", _REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for each in snapshot.maintenances:
        if each.scheduled_for is not None:
            calendar.add_component(_event(snapshot, each, each.scheduled_for))
    yield names.CALENDAR, calendar.to_ical()


def _event(snapshot: PublicSnapshot, each: PublicIncident, start: datetime) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{names.file_stem(each.id)}@{host(snapshot)}")
    event.add("dtstamp", changed(each))
    event.add("created", _utc(each.created_at))
    event.add("last-modified", changed(each))
    event.add("sequence", max(int((changed(each) - _utc(each.created_at)).total_seconds()), 0))
    event.add("dtstart", _utc(start))
    if each.scheduled_until and each.scheduled_until > start:
        event.add("dtend", _utc(each.scheduled_until))
    event.add("summary", each.name)
    if each.updates:
        event.add("description", each.updates[0].body)
    event.add("url", names.absolute(snapshot.page.url, names.incident_page(each.id)))
    event.add("status", "CANCELLED" if standing.is_called_off(each) else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # nobody is busy because our servers are
    return event


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
