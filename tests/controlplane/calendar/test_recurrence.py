"""Recurring maintenances against dateutil, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.calendar.recurrence import BadRule, rule_of, starts_between
from controlplane.calendar.zones import instant, zone

FIRST = datetime(2026, 1, 31, 2, 30)  # noqa: DTZ001 -- by the clocks of a zone
BERLIN = zone("Europe/Berlin")
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    months = draw(st.lists(st.integers(1, 12), max_size=3, unique=True))
    days = draw(st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True))
    ordinal = draw(st.sampled_from(["", "1", "2", "-1"])) if frequency == "MONTHLY" else ""
    if months or frequency == "YEARLY":
        parts.append(f"BYMONTH={','.join(map(str, months or [3]))}")
    if days:
        parts.append(f"BYDAY={','.join(ordinal + day for day in days)}")
    elif frequency != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={draw(st.sampled_from([1, 15, 29, 31, -1, -3]))}")
    if draw(st.booleans()):
        parts.append("UNTIL=20270215")
    return ";".join(parts)


@given(rules(), st.integers(0, 500))
@settings(max_examples=15)
def test_it_happens_when_dateutil_says_so(text: str, later: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=later)
    end = start + timedelta(days=120)
    first = instant(FIRST, BERLIN)
    theirs = rrulestr(text.replace("UNTIL=20270215", "UNTIL=20270215T235959"), dtstart=FIRST)
    wall_start, wall_end = (at.replace(tzinfo=None) for at in (start, end))
    near = theirs.between(wall_start - timedelta(days=2), wall_end + timedelta(days=2), inc=True)
    expected = [at for at in (instant(each, BERLIN) for each in near) if start <= at < end]
    assert starts_between(rule_of(text), first, BERLIN, start, end) == expected


def test_where_clocks_skip_the_time_it_begins_when_they_are_turned() -> None:
    rule = rule_of("FREQ=WEEKLY;BYDAY=SU")
    start = datetime(2026, 3, 28, tzinfo=UTC)
    (found,) = starts_between(rule, instant(FIRST, BERLIN), BERLIN, start, start + timedelta(days=2))
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not understood"),
        ("FREQ=HOURLY", "no frequency"),
        ("INTERVAL=2", "no FREQ"),
        ("FREQ=DAILY;FREQ=DAILY", "twice"),
        ("FREQ=DAILY;COUNT=3", "not understood"),
        ("FREQ=DAILY;INTERVAL=0", "no value of INTERVAL"),
        ("FREQ=WEEKLY;BYDAY=1MO", "counts days of a month"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "does not go with"),
        ("FREQ=YEARLY;BYMONTHDAY=1", "needs BYMONTH"),
        ("FREQ=DAILY;UNTIL=20261399", "not a time"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "no value"),
    ],
)
def test_what_is_not_a_rule_is_told(text: str, message: str) -> None:
    with pytest.raises(BadRule, match=message):
        rule_of(text)


def test_a_rule_that_never_happens_is_done_in_time() -> None:
    rule = rule_of("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    start = datetime(2030, 1, 1, tzinfo=UTC)
    assert starts_between(rule, instant(FIRST, BERLIN), BERLIN, start, start + timedelta(days=90)) == []
