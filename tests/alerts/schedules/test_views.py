"""Schedules as tables, JSON and calendar files."""

from datetime import timedelta

from icalendar import Calendar

from alerts.schedules.calendar_file import calendar_file
from alerts.schedules.turns import turns, whole_turns
from alerts.schedules.views import on_call_data, on_call_table, on_call_view, turns_table
from tests.alerts.schedules.rotas import hours, override, rotation, schedule, utc

SRE = schedule(
    rotation("ann", "ben"),
    rotation("ann", name="days", only=(hours("09:00", "17:00"),)),
    overrides=(override("2026-03-25T00:00", "2026-03-26T00:00", "eve"),),
)
AT = utc("2026-03-27T12:00")


def test_a_turn_goes_on_over_rotations_that_give_it_to_the_same_person() -> None:
    view = on_call_view(SRE, utc("2026-03-11T12:00"))
    assert on_call_data(view) == {
        "schedule": "sre",
        "time_zone": "Europe/Berlin",
        "at": "2026-03-11T12:00:00+00:00",
        "on_call": "ann",
        "by": "days",
        "until": "2026-03-11T16:00:00+00:00",
        "next": "ben",
    }
    assert on_call_data(on_call_view(SRE, utc("2026-03-17T18:00")))["until"] == "2026-03-23T16:00:00+00:00"


def test_tables_are_by_the_clocks_of_the_zone() -> None:
    forever = schedule(rotation("ann"))
    assert on_call_table([on_call_view(SRE, AT), on_call_view(forever, AT)]) == (
        "SCHEDULE ON CALL UNTIL            THEN\nsre      ann     2026-03-27 17:00 ben\nsre      ann     further notice"
    )
    found = turns(SRE, utc("2026-03-27T12:00"), utc("2026-03-30T12:00"))
    assert turns_table(SRE, found) == (
        "FROM                 UNTIL                ON CALL BY\n"
        "Fri 2026-03-27 13:00 Fri 2026-03-27 17:00 ann     days\n"
        "Fri 2026-03-27 17:00 Mon 2026-03-30 09:00 ben     weekly\n"
        "Mon 2026-03-30 09:00 Mon 2026-03-30 14:00 ann     days"
    )


def test_a_calendar_file_has_every_turn_and_those_of_nobody() -> None:
    days_only = schedule(rotation("ann", only=(hours("09:00", "17:00"),)))
    found = turns(days_only, AT, AT + timedelta(days=3))
    text = calendar_file([(days_only, found)], AT)
    events = Calendar.from_ical(text).walk("VEVENT")
    shown = [(each["SUMMARY"], each["DTSTART"].dt, each["DTEND"].dt, each["TRANSP"]) for each in events]
    assert shown == [
        ("ann: sre", AT, utc("2026-03-27T16:00"), "OPAQUE"),
        ("Nobody: sre", utc("2026-03-27T16:00"), utc("2026-03-30T07:00"), "TRANSPARENT"),
        ("ann: sre", utc("2026-03-30T07:00"), AT + timedelta(days=3), "OPAQUE"),
    ]
    assert len({each["UID"] for each in events}) == len(events)
    assert text == calendar_file([(days_only, found)], AT)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))


def test_a_turn_is_the_same_event_in_a_file_of_the_next_day() -> None:
    weekly, end = schedule(rotation("ann", "ben")), utc("2026-04-30T00:00")
    files = [calendar_file([(weekly, whole_turns(weekly, at, end))], at) for at in (AT, AT + timedelta(days=1))]
    first, second = ({str(each["UID"]) for each in Calendar.from_ical(text).walk("VEVENT")} for text in files)
    assert first == second
    assert "sre-20260323T080000Z@schedules.flyball.dev" in first
