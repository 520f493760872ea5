"""Actions have an owner and a day, an end with a reason, and are reported when their day is over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from alerts.incidents.desk import Refused, UnknownIncident
from alerts.postmortems.actions import ActionDesk, OverdueDaemon, UnknownAction, is_overdue, today_of
from controlplane.model.follow_up import Action, ActionState
from controlplane.model.incident import TimelineKind
from controlplane.ports import LeaseLost
from controlplane.store import SqlStore
from tests.alerts.postmortems.stories import BASE

NOW = datetime(2026, 12, 2, 9, tzinfo=UTC)
DUE = date(2026, 12, 15)


@pytest.fixture
def desk(store: SqlStore) -> ActionDesk:
    with store.transaction() as transaction:
        transaction.incidents.put(BASE)
    ids = iter(f"a{number}" for number in range(1000))
    return ActionDesk(store, lambda: next(ids))


def add(desk: ActionDesk, due: date = DUE) -> Action:
    return desk.add("INC-1", "Cap  the\npool", owner="ben", due=due, by="ann", now=NOW)


def told(store: SqlStore) -> list[str]:
    with store.transaction(read_only=True) as transaction:
        return [each.text for each in transaction.incidents.timeline("i2") if each.kind is TimelineKind.ACTION]


def test_an_action_is_written_into_the_timeline_and_the_audit_log(store: SqlStore, desk: ActionDesk) -> None:
    made = add(desk)
    assert (made.id, made.incident, made.title, made.state) == ("a0", "i2", "Cap the pool", ActionState.OPEN)
    assert told(store) == ["ben is to do until 2026-12-15: Cap the pool"]
    with store.transaction(read_only=True) as transaction:
        entry = transaction.audit.entries()[-1]
        assert transaction.follow_up.actions("i2") == [made]
    assert (entry.actor, entry.action, entry.subject) == ("ann", "action.added", "a0")


def test_it_ends_with_who_says_so_and_why_and_once(store: SqlStore, desk: ActionDesk) -> None:
    add(desk)
    for _ in range(2):
        ended = desk.end("a0", ActionState.DROPPED, by="eve", why="the pool is gone", now=NOW)
    assert (ended.state, ended.ended_by, ended.why, ended.ended_at) == (
        ActionState.DROPPED,
        "eve",
        "the pool is gone",
        NOW,
    )
    assert told(store)[1:] == ["eve says that it is dropped: Cap the pool (the pool is gone)"]
    again = desk.end("a0", ActionState.OPEN, by="ann", why="", now=NOW + timedelta(hours=1))
    assert (again.state, again.ended_by, again.why, again.ended_at) == (ActionState.OPEN, "", "", None)


def test_what_is_wrong_is_refused_with_a_reason(desk: ActionDesk) -> None:
    with pytest.raises(UnknownIncident):
        desk.add("INC-9", "x", owner="ben", due=DUE, by="ann", now=NOW)
    with pytest.raises(Refused, match="say what shall be done"):
        desk.add("INC-1", " \n", owner="ben", due=DUE, by="ann", now=NOW)
    with pytest.raises(Refused, match="say who does it"):
        desk.add("INC-1", "x", owner=" ", due=DUE, by="ann", now=NOW)
    with pytest.raises(UnknownAction, match="flyball actions list"):
        desk.end("nope", ActionState.DONE, by="ann", why="", now=NOW)
    add(desk)
    with pytest.raises(Refused, match="say why it is dropped"):
        desk.end("a0", ActionState.DROPPED, by="ann", why=" ", now=NOW)
    with pytest.raises(Refused, match="too far away"):
        desk.change("a0", by="ann", now=NOW, due=date(2999, 1, 1))


def test_an_incident_takes_a_hundred_actions(store: SqlStore, desk: ActionDesk) -> None:
    first = add(desk)
    with store.transaction() as transaction:
        for number in range(99):
            transaction.follow_up.put_action(replace(first, id=f"b{number}"))
    with pytest.raises(Refused, match="100 actions already"):
        add(desk)


def test_an_action_is_overdue_from_the_day_after_and_reported_once(store: SqlStore, desk: ActionDesk) -> None:
    add(desk)
    daemon = OverdueDaemon(store)
    last_second = datetime(2026, 12, 15, 23, 59, 59, tzinfo=UTC)
    assert daemon.run_once(last_second) == ()
    assert daemon.run_once(last_second + timedelta(seconds=1)) == ("a0",)
    assert daemon.run_once(last_second + timedelta(days=1)) == ()
    assert told(store)[-1] == "overdue, was due on 2026-12-15: Cap the pool (ben)"
    with store.transaction(read_only=True) as transaction:
        (recorded,) = transaction.events.after(0, 10, ("action.overdue",))
    assert (recorded.event.subject, recorded.event.data["owner"]) == ("a0", "ben")


def test_a_new_day_is_reported_again_when_it_is_over(store: SqlStore, desk: ActionDesk) -> None:
    add(desk)
    daemon, late = OverdueDaemon(store), NOW + timedelta(days=20)
    assert daemon.run_once(late) == ("a0",)
    moved = desk.change("a0", by="ben", now=late, due=date(2026, 12, 30))
    assert not is_overdue(moved, today_of(late))
    assert daemon.run_once(late) == ()
    assert daemon.run_once(NOW + timedelta(days=30)) == ("a0",)
    assert desk.change("a0", by="ben", now=late, owner="eve").reported_at is not None


def test_what_is_done_is_never_overdue(store: SqlStore, desk: ActionDesk) -> None:
    add(desk)
    desk.end("a0", ActionState.DONE, by="ben", why="", now=NOW)
    assert OverdueDaemon(store).run_once(NOW + timedelta(days=30)) == ()


def test_only_the_leader_reports(store: SqlStore, desk: ActionDesk) -> None:
    add(desk)
    lease = store.leases.acquire("flyball", "one", timedelta(minutes=1))
    assert lease
    store.leases.release(lease)
    assert store.leases.acquire("flyball", "two", timedelta(minutes=1))
    with pytest.raises(LeaseLost):
        OverdueDaemon(store).run_once(NOW + timedelta(days=30), lease)
