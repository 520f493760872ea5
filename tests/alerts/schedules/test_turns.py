"""Who is on call when."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.schedules.model import DayTimes, Every, Override, Rotation, Schedule, Turn
from alerts.schedules.turns import HandOver, gaps, hand_overs, next_turns, on_call, turns
from tests.alerts.schedules.rotas import EVERY_DAY, hours, override, rotation, schedule, utc, wall

MINUTE = timedelta(minutes=1)


def told(found: tuple[Turn, ...]) -> list[tuple[str, str, str]]:
    return [(f"{turn.start:%m-%dT%H:%M}", f"{turn.end:%m-%dT%H:%M}", turn.participant) for turn in found]


def test_weeks_hand_over_at_the_same_time_on_the_wall_through_the_change_of_clocks() -> None:
    weekly = schedule(rotation("ann", "ben"))
    assert told(turns(weekly, utc("2026-03-16T00:00"), utc("2026-04-07T00:00"))) == [
        ("03-16T00:00", "03-16T08:00", "ben"),
        ("03-16T08:00", "03-23T08:00", "ann"),
        ("03-23T08:00", "03-30T07:00", "ben"),  # summer: nine in Berlin is seven in UTC
        ("03-30T07:00", "04-06T07:00", "ann"),
        ("04-06T07:00", "04-07T00:00", "ben"),
    ]


def test_a_hand_over_that_clocks_skip_is_when_they_are_turned_and_one_that_comes_twice_is_the_first() -> None:
    daily = schedule(rotation("ann", "ben", start="2026-03-01T02:30", every=Every.DAY))
    spring = turns(daily, utc("2026-03-28T12:00"), utc("2026-03-30T12:00"))
    assert [f"{turn.start:%dT%H:%M}" for turn in spring] == ["28T12:00", "29T01:00", "30T00:30"]
    autumn = turns(daily, utc("2026-10-24T12:00"), utc("2026-10-26T12:00"))
    assert [f"{turn.start:%dT%H:%M}" for turn in autumn] == ["24T12:00", "25T00:30", "26T01:30"]


def test_a_turn_that_began_stays_begun_when_clocks_show_an_earlier_time_again() -> None:
    daily = schedule(rotation("ann", "ben", start="2026-10-24T02:30", every=Every.DAY))
    minutes = (0, 29, 30, 59, 60, 70, 90, 120)  # from two o'clock on; after an hour it is two o'clock again
    found = [on_call(daily, utc("2026-10-25T00:00") + each * MINUTE) for each in minutes]
    assert found == ["ann", "ann", *["ben"] * 6]


def test_hours_have_sixty_minutes_whatever_clocks_do() -> None:
    shifts = schedule(rotation("ann", "ben", start="2026-03-28T12:00", every=Every.HOUR, count=12))
    found = turns(shifts, utc("2026-03-28T11:00"), utc("2026-03-30T00:00"))
    assert [f"{turn.start:%dT%H:%M}" for turn in found] == ["28T11:00", "28T23:00", "29T11:00", "29T23:00"]


def test_nobody_is_on_call_before_a_rotation_starts_and_after_it_ends() -> None:
    short = schedule(rotation("ann", until=wall("2026-01-12T09:00")))
    assert told(turns(short, utc("2026-01-01T00:00"), utc("2026-02-01T00:00"))) == [
        ("01-01T00:00", "01-05T08:00", ""),
        ("01-05T08:00", "01-12T08:00", "ann"),
        ("01-12T08:00", "02-01T00:00", ""),
    ]
    assert len(gaps(short, utc("2026-01-01T00:00"), utc("2026-02-01T00:00"))) == 2


def test_a_later_rotation_lies_over_an_earlier_one_in_its_hours_only() -> None:
    both = schedule(rotation("ann"), rotation("ben", name="days", only=(hours("09:00", "17:00"),)))
    assert told(turns(both, utc("2026-01-09T07:00"), utc("2026-01-12T12:00"))) == [
        ("01-09T07:00", "01-09T08:00", "ann"),
        ("01-09T08:00", "01-09T16:00", "ben"),
        ("01-09T16:00", "01-12T08:00", "ann"),
        ("01-12T08:00", "01-12T12:00", "ben"),
    ]


def test_hours_may_go_into_the_next_day_and_a_day_may_be_whole() -> None:
    nights = schedule(rotation("ann", only=(hours("22:00", "06:00", frozenset({4})),)), zone="UTC")
    friday = utc("2026-01-09T22:00")
    assert [on_call(nights, friday + timedelta(hours=each)) for each in (-1, 0, 7, 8, 24)] == ["", "ann", "ann", "", ""]
    whole = schedule(rotation("ann", only=(hours("00:00", "00:00", frozenset({5})),)), zone="UTC")
    assert told(turns(whole, friday, friday + timedelta(days=3)))[1] == ("01-10T00:00", "01-11T00:00", "ann")


def test_overrides_lie_over_every_rotation_and_later_ones_over_earlier_ones() -> None:
    changed = schedule(
        rotation("ann"),
        overrides=(
            override("2026-01-06T00:00", "2026-01-08T00:00", "ben"),
            override("2026-01-07T00:00", "2026-01-09T00:00", "eve"),
        ),
    )
    found = turns(changed, utc("2026-01-05T12:00"), utc("2026-01-10T00:00"))
    assert told(found) == [
        ("01-05T12:00", "01-06T00:00", "ann"),
        ("01-06T00:00", "01-07T00:00", "ben"),
        ("01-07T00:00", "01-09T00:00", "eve"),
        ("01-09T00:00", "01-10T00:00", "ann"),
    ]
    assert [turn.by for turn in found] == ["weekly", "override", "override", "weekly"]


def test_a_hand_over_to_oneself_is_none() -> None:
    same = schedule(rotation("ann", "ann", "ben"))
    found = hand_overs(same, utc("2026-01-05T08:00"), utc("2026-01-26T08:00"))
    assert found == (HandOver(utc("2026-01-19T08:00"), "ann", "ben"), HandOver(utc("2026-01-26T08:00"), "ben", "ann"))


def test_the_next_turns_are_found_however_long_they_last() -> None:
    long = schedule(rotation("ann", "ben", count=20))
    found = next_turns(long, utc("2026-01-06T00:00"), 3)
    assert told(found) == [
        ("01-06T00:00", "05-25T07:00", "ann"),
        ("05-25T07:00", "10-12T07:00", "ben"),
        ("10-12T07:00", "01-06T00:00", "ann"),
    ]
    assert [turn.participant for turn in next_turns(schedule(rotation("ann")), utc("2026-01-06T00:00"), 3)] == ["ann"]


def test_nobody_looks_further_than_a_year_and_no_time_has_no_turns() -> None:
    weekly, at = schedule(rotation("ann")), utc("2026-01-05T08:00")
    with pytest.raises(ValueError, match="366 days"):
        turns(weekly, at, at + timedelta(days=367))
    assert turns(weekly, at, at) == ()


# --- against a calendar that knows only what a wall shows, minute by minute --------------------------------------

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "UTC")
NAMES = ("ann", "ben", "eve")
FIRST = datetime(2026, 3, 26, tzinfo=UTC)  # Berlin springs forward, Lord Howe falls back within twelve days
quarters = st.integers(0, 95).map(lambda each: time(each // 4, each % 4 * 15))
day_times = st.builds(DayTimes, st.frozensets(st.sampled_from(sorted(EVERY_DAY)), min_size=1), quarters, quarters)
walls = st.integers(-40 * 24, 10 * 24 * 4).map(lambda each: wall("2026-03-26T00:00") + each * timedelta(minutes=15))
rotations = st.builds(
    Rotation,
    name=st.sampled_from(("one", "two")),
    participants=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple),
    start=walls,
    every=st.sampled_from(Every),
    count=st.integers(1, 5),
    only=st.lists(day_times, max_size=2).map(tuple),
    until=st.none() | walls,
)
overrides = st.builds(
    lambda start, length, who: Override(FIRST + start * MINUTE, FIRST + (start + length) * MINUTE, who),
    st.integers(0, 12_000),
    st.integers(1, 3000),
    st.sampled_from(NAMES),
)
schedules = st.builds(
    Schedule,
    name=st.just("sre"),
    zone=st.sampled_from(ZONES),
    rotations=st.lists(rotations, min_size=1, max_size=3).map(tuple),
    overrides=st.lists(overrides, max_size=2).map(tuple),
)


def shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def begins(wanted: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which a clock shows at least `wanted`, found by looking at it every five minutes."""
    at = wanted.replace(tzinfo=UTC) - timedelta(hours=15)
    while shown(at, zone) < wanted:
        at += timedelta(minutes=5)
    return at


def looked_at(one: Rotation, zone: ZoneInfo, at: datetime) -> str:
    if at < begins(one.start, zone) or (one.until is not None and at >= begins(one.until, zone)):
        return ""
    if one.only and not any(within(each, zone, at) for each in one.only):
        return ""
    turn, begun = 0, begins(one.start, zone)
    length = {Every.HOUR: timedelta(hours=1), Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}[one.every]
    while True:
        ahead = (turn + 1) * one.count * length
        later = begun + ahead if one.every is Every.HOUR else begins(one.start + ahead, zone)
        if later > at:
            return one.participants[turn % len(one.participants)]
        turn += 1


def within(times: DayTimes, zone: ZoneInfo, at: datetime) -> bool:
    for back in range(3):
        day = (shown(at, zone) - back * timedelta(days=1)).date()
        ends = day if times.end > times.start else day + timedelta(days=1)
        first, last = datetime.combine(day, times.start), datetime.combine(ends, times.end)
        if day.weekday() in times.days and begins(first, zone) <= at < begins(last, zone):
            return True
    return False


@given(schedules, st.lists(st.integers(0, 12 * 288), min_size=1, max_size=3))
def test_who_is_on_call_is_what_a_look_at_the_wall_says(one: Schedule, moments: list[int]) -> None:
    zone = ZoneInfo(one.zone)
    for moment in moments:
        at = FIRST + moment * 5 * MINUTE
        expected = next((each.participant for each in reversed(one.overrides) if each.start <= at < each.end), "")
        expected = expected or next(filter(None, (looked_at(each, zone, at) for each in reversed(one.rotations))), "")
        assert on_call(one, at) == expected


@given(schedules, st.integers(0, 9 * 24 * 60), st.integers(1, 6 * 24 * 60), st.data())
def test_turns_cover_all_of_a_time_and_say_what_on_call_says(
    one: Schedule, first: int, length: int, data: st.DataObject
) -> None:
    start = FIRST + first * MINUTE
    end = start + length * MINUTE
    found = turns(one, start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(a.end == b.start and (a.participant, a.by) != (b.participant, b.by) for a, b in pairwise(found))
    for turn in found:
        assert turn.start < turn.end
        seconds = int((turn.end - turn.start).total_seconds())
        for second in (0, seconds - 1, data.draw(st.integers(0, seconds - 1))):
            assert on_call(one, turn.start + timedelta(seconds=second)) == turn.participant
