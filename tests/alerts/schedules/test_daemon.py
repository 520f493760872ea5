"""Who came on call, written down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.schedules.daemon import HandOvers
from alerts.schedules.model import Every, Schedule
from controlplane.incident_names import EVENT_ON_CALL_CHANGED
from controlplane.ports import LeaseLost
from controlplane.store import SqlStore
from tests.alerts.kept_store import kept_store
from tests.alerts.schedules.rotas import override, rotation, schedule, utc

DAILY = schedule(rotation("ben", "ann", start="2026-11-01T09:00", every=Every.DAY), zone="UTC")
AT = utc("2026-12-01T08:00")  # ann until 9, then ben
HOUR = timedelta(hours=1)


class Kept:
    """A daemon, its files and its store."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.schedules: tuple[Schedule, ...] = (DAILY,)
        self.daemon = self.restarted()

    def restarted(self) -> HandOvers:
        self.daemon = HandOvers(self.store, lambda: self.schedules)
        return self.daemon

    def changes(self) -> list[tuple[str, object, object]]:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.events.between(AT - 99 * HOUR, AT + 999 * HOUR, (EVENT_ON_CALL_CHANGED,))
        return [(f"{e.event.occurred_at:%dT%H:%M}", e.event.data["from"], e.event.data["to"]) for e in found]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with kept_store(tmp_path) as store:
        yield Kept(store)


def test_a_new_schedule_says_who_is_on_call_and_then_each_change(kept: Kept) -> None:
    for minutes in (0, 1, 59, 60, 61, 200):
        kept.daemon.run_once(AT + timedelta(minutes=minutes))
    assert kept.changes() == [("01T08:00", "", "ann"), ("01T09:00", "ann", "ben")]


def test_what_came_to_pass_while_nothing_ran_is_written_afterwards(kept: Kept) -> None:
    kept.daemon.run_once(AT)
    kept.restarted().run_once(AT + 50 * HOUR)
    assert kept.changes()[1:] == [("01T09:00", "ann", "ben"), ("02T09:00", "ben", "ann"), ("03T09:00", "ann", "ben")]


def test_a_changed_file_is_a_change_of_who_is_on_call(kept: Kept) -> None:
    kept.daemon.run_once(AT)
    kept.schedules = (replace(DAILY, overrides=(override("2026-12-01T00:00", "2026-12-01T12:00", "eve"),)),)
    kept.restarted().run_once(AT + timedelta(minutes=1))
    kept.restarted().run_once(AT + timedelta(minutes=2))
    assert kept.changes()[1:] == [("01T08:00", "ann", "eve")]
    kept.daemon.run_once(AT + 5 * HOUR)
    assert kept.changes()[2:] == [("01T12:00", "eve", "ben")]


def test_what_another_replica_wrote_is_known_to_the_next_leader(kept: Kept) -> None:
    first = kept.store.leases.acquire("leader", "a", timedelta(milliseconds=1))
    assert first is not None
    kept.daemon.run_once(AT, first)
    second = None
    while second is None:
        second = kept.store.leases.acquire("leader", "b", timedelta(minutes=5))
    other = HandOvers(kept.store, lambda: kept.schedules)
    other.run_once(AT + 2 * HOUR, second)
    with pytest.raises(LeaseLost):
        kept.daemon.run_once(AT + 26 * HOUR, first)
    known = [("01T08:00", "", "ann"), ("01T09:00", "ann", "ben")]
    assert kept.changes() == known
    kept.store.leases.release(second)
    again = kept.store.leases.acquire("leader", "a", timedelta(minutes=5))
    kept.daemon.run_once(AT + 3 * HOUR, again)  # it knows no more what it knew as the leader before
    assert kept.changes() == known


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(1, 3000), st.booleans()), min_size=1, max_size=6))
def test_whenever_it_runs_it_writes_the_same(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, bool]]
) -> None:
    with kept_store(tmp_path_factory.mktemp("kept")) as store:
        kept, at = Kept(store), AT
        kept.daemon.run_once(at)
        for minutes, is_restarted in runs:
            at += timedelta(minutes=minutes)
            (kept.restarted() if is_restarted else kept.daemon).run_once(at)
        days = (at - datetime(2026, 12, 1, 9, tzinfo=AT.tzinfo)) // timedelta(days=1) + 1
        expected = [
            (f"{1 + day:02}T09:00", *(("ann", "ben") if day % 2 == 0 else ("ben", "ann"))) for day in range(days)
        ]
        assert kept.changes() == [("01T08:00", "", "ann"), *expected]
