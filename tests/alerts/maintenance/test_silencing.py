"""Silences follow the windows, and those of people are left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.maintenance.active import is_active
from alerts.maintenance.daemon import SilenceDaemon
from alerts.maintenance.model import MaintenanceWindow
from alerts.maintenance.silencing import AHEAD, CREATED_BY, changes, window_of
from alerts.ports import Silence
from alerts.routing.model import Matcher, MatchOperator
from alerts.routing.router import silences
from controlplane.ports import Transient
from tests.alerts.maintenance.keeper import MemoryKeeper
from tests.alerts.routing.reading import window

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
BATCH = window(
    "weekly: [{from: '13:00', to: '14:00'}]\nmatch: [['service=ingest'], ['service=batch', 'team!=x']]", "batch"
)
ALWAYS = window("timeZone: Europe/Berlin\nweekly: [{}]\nmatch: [['service=old']]\nwhy: It is being taken down", "old")
THEIRS = Silence("s99", (Matcher("a", MatchOperator.EQUAL, "b"),), NOON, NOON + 9 * MINUTE, "ann", "mine [flyball x]")


def test_a_silence_is_there_before_its_window_begins_and_ends_with_it() -> None:
    assert changes([BATCH], [], NOON - MINUTE).put == ()
    found = changes([BATCH], [], NOON + MINUTE)
    assert [(each.starts_at, each.ends_at) for each in found.put] == [(NOON + AHEAD, NOON + 2 * AHEAD)] * 2
    assert [[matcher.name for matcher in each.matchers] for each in found.put] == [["service"], ["service", "team"]]
    assert {(each.created_by, window_of(each)) for each in found.put} == {(CREATED_BY, "batch")}


def test_what_is_there_is_left_alone_and_what_is_no_longer_declared_is_ended() -> None:
    keeper = MemoryKeeper(NOON + MINUTE)
    keeper.put(THEIRS)
    assert SilenceDaemon(keeper, lambda: [BATCH, ALWAYS]).run_once(keeper.now).put == 3
    assert SilenceDaemon(keeper, lambda: [BATCH, ALWAYS]).run_once(keeper.now).put == 0
    done = SilenceDaemon(keeper, lambda: [ALWAYS]).run_once(keeper.now)
    assert (done.put, done.expired) == (0, 2)
    assert {window_of(each) for each in keeper.silences()} == {None, "old"}


def test_nothing_is_ended_before_files_were_read() -> None:
    keeper = MemoryKeeper(NOON)
    SilenceDaemon(keeper, lambda: [ALWAYS]).run_once(NOON)
    known: list[MaintenanceWindow] = []
    after_restart = SilenceDaemon(keeper, lambda: known)
    assert after_restart.run_once(NOON).expired == 0
    known.append(ALWAYS)
    assert after_restart.run_once(NOON).expired == 0
    known.clear()
    assert after_restart.run_once(NOON).expired == 1


def test_a_window_without_matchers_silences_nothing() -> None:
    assert changes([replace(ALWAYS, matchers=())], [], NOON).put == ()


def test_a_silence_that_goes_on_is_prolonged_once_a_day_and_keeps_its_id() -> None:
    keeper = MemoryKeeper(NOON)
    daemon = SilenceDaemon(keeper, lambda: [ALWAYS])
    daemon.run_once(keeper.now)
    (first,) = keeper.silences()
    assert first.comment.startswith("Maintenance old: It is being taken down [flyball old ")
    for _ in range(12 * 60 // 10):
        keeper.now += 10 * MINUTE
        daemon.run_once(keeper.now)
    (later,) = keeper.silences()
    assert (later.id, later.starts_at) == (first.id, first.starts_at)
    assert later.ends_at > first.ends_at
    assert keeper.calls == 2


def test_a_window_that_is_moved_before_it_begins_moves_its_silence() -> None:
    keeper = MemoryKeeper(NOON + 10 * MINUTE)
    SilenceDaemon(keeper, lambda: [BATCH]).run_once(keeper.now)
    later = window(
        "weekly: [{from: '13:05', to: '14:30'}]\nmatch: [['service=ingest'], ['service=batch', 'team!=x']]", "batch"
    )
    done = SilenceDaemon(keeper, lambda: [later]).run_once(keeper.now)
    assert (done.put, done.expired) == (2, 0)
    assert {each.starts_at for each in keeper.silences()} == {NOON + 65 * MINUTE}


def test_two_times_of_a_window_within_the_hour_are_two_silences() -> None:
    twice = window("weekly: [{from: '12:00', to: '12:20'}, {from: '12:40', to: '13:00'}]\nmatch: [['a=b']]", "twice")
    keeper = MemoryKeeper(NOON + MINUTE)
    daemon = SilenceDaemon(keeper, lambda: [twice])
    assert daemon.run_once(keeper.now).put == 2
    assert daemon.run_once(keeper.now) == replace(daemon.run_once(keeper.now), put=0, expired=0)


def test_a_silence_that_somebody_ended_is_put_again_and_no_other_is_touched() -> None:
    twice = window("weekly: [{from: '12:00', to: '12:20'}, {from: '12:40', to: '13:00'}]\nmatch: [['a=b']]", "twice")
    keeper = MemoryKeeper(NOON + MINUTE)
    daemon = SilenceDaemon(keeper, lambda: [twice])
    daemon.run_once(keeper.now)
    first, second = sorted(keeper.silences(), key=lambda each: each.starts_at)
    keeper.expire(first.id)
    daemon.run_once(keeper.now)
    assert second in keeper.silences()
    assert {each.ends_at for each in keeper.silences()} == {first.ends_at, second.ends_at}


def test_one_change_that_fails_is_told_after_the_others_were_made() -> None:
    keeper = MemoryKeeper(NOON)
    keeper.fails = True
    with pytest.raises(Transient):
        SilenceDaemon(keeper, lambda: [BATCH, ALWAYS]).run_once(NOON + MINUTE)
    assert keeper.calls == 3
    keeper.fails = False
    assert SilenceDaemon(keeper, lambda: [BATCH, ALWAYS]).run_once(NOON + MINUTE).put == 3


IDLE = replace(ALWAYS, name="idle", matchers=())
_CLOCKS = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
_WINDOWS = st.lists(
    st.builds(
        lambda name, start, end, service: window(
            f"weekly: [{{from: '{start}', to: '{end}'}}]\nmatch: [['service={service}']]", name
        ),
        st.sampled_from(["one", "two", "three"]), _CLOCKS, _CLOCKS, st.sampled_from(["api", "db"]),
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)  # fmt: skip


@given(st.lists(st.tuples(_WINDOWS, st.integers(1, 400)), min_size=1, max_size=6))
def test_after_each_look_exactly_what_the_windows_say_is_silenced(
    steps: list[tuple[list[MaintenanceWindow], int]],
) -> None:
    keeper = MemoryKeeper(NOON)
    keeper.put(replace(THEIRS, ends_at=NOON + timedelta(days=9)))
    daemon = SilenceDaemon(keeper, lambda: [*windows, IDLE])
    for windows, passed in steps:
        keeper.now += passed * MINUTE
        daemon.run_once(keeper.now)
        for service in ("api", "db"):
            meant = any(silences(each, {"service": service}) and is_active(each, keeper.now) for each in windows)
            there = any(
                each.matchers == (Matcher("service", MatchOperator.EQUAL, service),) for each in keeper.active()
            )
            assert there == meant
        assert [each.id for each in keeper.silences() if window_of(each) is None] == ["s99"]
        before = keeper.calls
        daemon.run_once(keeper.now)
        assert keeper.calls == before
