"""When a maintenance window is active, by us and by Alertmanager."""
# ruff: noqa: DTZ001 -- times that clocks on walls show

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.maintenance.active import active_spans, is_active
from alerts.maintenance.model import MaintenanceWindow, Recurring
from alerts.maintenance.time_intervals import time_intervals
from alerts.schedules.model import DayTimes
from tests.alerts.maintenance.alertmanager_times import contains
from tests.alerts.routing.reading import window

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata", "America/St_Johns")
MINUTE = timedelta(minutes=1)
# Around both changes of clocks of each of the zones, as well as anywhere.
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    *(
        st.datetimes(day - timedelta(hours=15), day + timedelta(hours=40))
        for day in (
            datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 3, 8), datetime(2026, 11, 1),
            datetime(2026, 4, 5), datetime(2026, 10, 4),
        )
    ),
).map(lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC))  # fmt: skip
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
WEEKLY = st.builds(DayTimes, st.frozensets(st.integers(0, 6), min_size=1), CLOCKS, CLOCKS)
SPANS = st.builds(lambda start, minutes: (start, start + minutes * MINUTE), MOMENTS, st.integers(1, 60 * 24 * 70))
RULES = st.builds(
    Recurring,
    st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1)).map(lambda at: at.replace(second=0, microsecond=0)),
    st.integers(1, 60 * 36),
    st.sampled_from(
        ["FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY;BYDAY=1SU", "FREQ=DAILY;INTERVAL=3;UNTIL=20270301", "FREQ=YEARLY"]
    ),
)
WINDOWS = st.builds(
    MaintenanceWindow,
    name=st.just("w"),
    zone=st.sampled_from(ZONES),
    spans=st.lists(SPANS, max_size=3).map(tuple),
    weekly=st.lists(WEEKLY, max_size=2).map(tuple),
    rules=st.lists(RULES, max_size=1).map(tuple),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_weekly_hours_are_those_of_the_clock_on_the_wall() -> None:
    nights = window("timeZone: Europe/Berlin\nweekly: [{days: [fri], from: '22:00', to: '06:00'}]")
    assert [is_active(nights, utc(at)) for at in ("2026-01-02 20:59", "2026-01-02 21:00", "2026-01-03 04:59")] == [
        False, True, True,
    ]  # fmt: skip
    assert not is_active(nights, utc("2026-01-03 05:00"))
    assert is_active(nights, utc("2026-07-03 20:00"))  # an hour earlier in summer
    assert not is_active(nights, utc("2026-01-01 21:30"))  # Thursday


def test_an_hour_that_comes_twice_counts_twice_and_one_that_is_skipped_not_at_all() -> None:
    early = window("timeZone: Europe/Berlin\nweekly: [{days: [sun], from: '02:00', to: '03:00'}]")
    autumn = active_spans(early, utc("2026-10-25 00:00"), utc("2026-10-26 00:00"))
    assert autumn == [(utc("2026-10-25 00:00"), utc("2026-10-25 02:00"))]
    assert active_spans(early, utc("2026-03-29 00:00"), utc("2026-03-30 00:00")) == []


def test_rules_and_spans_are_moments() -> None:
    monthly = window(
        "timeZone: Europe/Berlin\nrecurring: [{start: 2026-01-04T02:00, minutes: 90, rule: FREQ=MONTHLY;BYDAY=1SU}]\n"
        "spans: [{from: 2026-12-24T09:00, until: 2026-12-27T08:00Z}]"
    )
    assert is_active(monthly, utc("2026-12-06 01:00"))
    assert is_active(monthly, utc("2026-12-06 02:29"))
    assert not is_active(monthly, utc("2026-12-06 02:30"))
    assert not is_active(monthly, utc("2026-12-13 01:00"))
    assert not is_active(monthly, utc("2025-12-07 01:00"))  # before its start
    assert is_active(monthly, utc("2026-12-24 08:00"))
    assert not is_active(monthly, utc("2026-12-27 08:00"))


@given(WINDOWS, st.lists(MOMENTS, min_size=5, max_size=30))
@settings(max_examples=12)  # a rule is written out for twelve years
def test_alertmanager_mutes_at_the_very_same_minutes(found: MaintenanceWindow, moments: list[datetime]) -> None:
    same_minutes(found, moments)


@pytest.mark.soak
@given(WINDOWS, st.lists(MOMENTS, min_size=5, max_size=30))
@settings(max_examples=1000)
def test_alertmanager_mutes_at_the_very_same_minutes_whatever_the_window(
    found: MaintenanceWindow, moments: list[datetime]
) -> None:
    same_minutes(found, moments)


def same_minutes(found: MaintenanceWindow, moments: list[datetime]) -> None:
    intervals = yaml.safe_load("\n".join(time_intervals(found)) or "[]")
    edges = [each for span in found.spans for at in span for each in (at, at - MINUTE)]
    for at in (*moments, *edges):
        assert contains(intervals, at) == is_active(found, at), at


@given(WINDOWS, MOMENTS, st.integers(1, 60 * 24 * 3))
def test_spans_hold_exactly_the_minutes_that_are_active(found: MaintenanceWindow, start: datetime, length: int) -> None:
    end = start + length * MINUTE
    spans = active_spans(found, start, end)
    assert all(first < last for first, last in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    for minute in range(0, length, max(length // 60, 1)):
        at = start + minute * MINUTE
        assert any(first <= at < last for first, last in spans) == is_active(found, at), at


@pytest.mark.parametrize("zone", ZONES)
def test_all_of_the_week_is_always(zone: str) -> None:
    always = window(f"timeZone: {zone}\nweekly: [{{}}]")
    for at in ("2026-03-29 00:30", "2026-03-29 01:00", "2026-10-25 00:59", "2026-06-01 00:00"):
        assert is_active(always, utc(at))
    ((first, last),) = active_spans(always, utc("2026-03-28 00:00"), utc("2026-03-30 00:00"))
    assert first <= utc("2026-03-28 00:00")
    assert last >= utc("2026-03-30 00:00")
