"""One ticket for each cost issue and each action, opened once, kept up to date and closed with its cause."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.ports import RateLimited
from alerts.postmortems.actions import ActionDesk, report_overdue
from alerts.tickets import wanting
from alerts.tickets.daemon import FIRST_PAUSE, LOOK_EVERY, REFUSED_PAUSE, TicketDaemon
from alerts.tickets.model import Tracker, TrackerKind
from alerts.tickets.ports import Gone
from controlplane.model.follow_up import ActionState, Ticket
from controlplane.model.incident import TimelineKind
from controlplane.ports import LeaseLost, Permanent, Transient
from controlplane.store import SqlStore, open_store
from tests.alerts.tickets.happenings import (
    ALERT,
    MINUTE,
    NOW,
    Crash,
    Dying,
    MemoryTracker,
    action,
    ends,
    fires,
    incident,
)

WORK = Tracker("work", TrackerKind.GITHUB, frozenset(("cost", "actions")), {}, ("flyball",))


def daemon(store: SqlStore, tracker: MemoryTracker, declared: Sequence[Tracker] = (WORK,)) -> TicketDaemon:
    return TicketDaemon(store, lambda: declared, lambda _: tracker, "https://flyball.example")


def ticket(store: SqlStore, key: str) -> Ticket:
    with store.transaction(read_only=True) as transaction:
        found = transaction.follow_up.ticket(key)
    assert found
    return found


def test_a_cost_issue_becomes_one_ticket_however_many_turns_and_processes_look_at_it(store: SqlStore) -> None:
    tracker, issue = MemoryTracker(), fires(store)
    turn = daemon(store, tracker).run_once(NOW)
    assert (turn.wanted, turn.opened, turn.failed) == (1, 1, 0)
    assert daemon(store, tracker).run_once(NOW + MINUTE).opened == 0
    assert len(tracker.kept) == 1
    kept = ticket(store, f"cost:{issue}")
    assert (kept.url, kept.told_version, kept.labels) == ("https://tickets.example/1", 1, ("flyball",))


def test_when_the_alert_ends_its_ticket_is_closed_with_that_cause(store: SqlStore) -> None:
    tracker, issue = MemoryTracker(), fires(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    ends(store)
    turn = it.run_once(NOW + MINUTE)
    assert (turn.wanted, turn.updated) == (1, 1)
    assert not tracker.kept["1"].is_open
    assert "The alert SpendSpike ended at 2026-12-01 09:31 UTC" in tracker.kept["1"].draft.body
    assert ticket(store, f"cost:{issue}").cause == "The alert SpendSpike ended at 2026-12-01 09:31 UTC"
    assert it.run_once(NOW + 2 * MINUTE).updated == 0


def test_an_alert_that_ended_before_its_issue_was_written_leaves_a_ticket_that_is_closed(store: SqlStore) -> None:
    tracker = MemoryTracker()
    ends(store)
    fires(store)
    it = daemon(store, tracker)
    it.run_once(NOW + MINUTE)
    it.run_once(NOW + 2 * MINUTE)
    assert not tracker.kept["1"].is_open
    assert "had ended before this ticket was opened" in tracker.kept["1"].draft.body


def test_issues_from_long_before_there_were_tickets_get_none(store: SqlStore) -> None:
    tracker = MemoryTracker()
    fires(store, replace(ALERT, starts_at=NOW - timedelta(days=8)))
    assert daemon(store, tracker).run_once(NOW).wanted == 0
    assert not tracker.kept


def test_without_a_tracker_that_takes_costs_their_issues_are_passed_over(store: SqlStore) -> None:
    tracker = MemoryTracker()
    fires(store)
    only_actions = replace(WORK, takes=frozenset(("actions",)))
    assert daemon(store, tracker, (only_actions,)).run_once(NOW).wanted == 0
    assert daemon(store, tracker).run_once(NOW).wanted == 0


def test_without_any_tracker_tickets_go_to_the_standard_folder(store: SqlStore) -> None:
    tracker, issue = MemoryTracker(), fires(store)
    daemon(store, tracker, ()).run_once(NOW)
    assert ticket(store, f"cost:{issue}").tracker == "files"


def test_an_action_becomes_a_ticket_that_follows_it_to_its_end_and_is_told_in_the_timeline(store: SqlStore) -> None:
    tracker, it = MemoryTracker(), None
    incident(store)
    action(store)
    it, desk = daemon(store, tracker), ActionDesk(store, lambda: "x")
    it.run_once(NOW)
    assert tracker.kept["1"].draft.title == "INC-1: Cap the connection pool"
    desk.change("a1", by="ann", now=NOW + MINUTE, owner="eve")
    it.run_once(NOW + MINUTE)
    assert "Owner: **eve**" in tracker.kept["1"].draft.body
    desk.end("a1", ActionState.DONE, by="eve", why="merged", now=NOW + 2 * MINUTE)
    it.run_once(NOW + 2 * MINUTE)
    assert not tracker.kept["1"].is_open
    assert "Done by eve on 2026-12-01: merged" in tracker.kept["1"].draft.body
    desk.end("a1", ActionState.OPEN, by="ann", why="", now=NOW + 3 * MINUTE)
    it.run_once(NOW + 3 * MINUTE)
    assert tracker.kept["1"].is_open
    assert len(tracker.kept) == 1
    with store.transaction(read_only=True) as transaction:
        lines = [each.text for each in transaction.incidents.timeline("i1") if each.kind is TimelineKind.TICKET]
        entries = transaction.audit.entries()
    assert [line.partition(":")[0] for line in lines] == ["ticket opened", "ticket closed", "ticket reopened"]
    assert [each.action for each in entries if each.action.startswith("ticket.")] == [
        "ticket.opened",
        "ticket.closed",
        "ticket.reopened",
    ]


def test_an_overdue_action_says_so_in_its_ticket(store: SqlStore) -> None:
    tracker = MemoryTracker()
    incident(store)
    action(store)
    it, late = daemon(store, tracker), NOW + timedelta(days=15)
    it.run_once(NOW)
    assert [each.id for each in report_overdue(store, late)] == ["a1"]
    it.run_once(late)
    assert "Due: 2026-12-15 — **overdue**" in tracker.kept["1"].draft.body


def test_a_repetition_of_its_incident_is_told_in_the_ticket_of_an_action_that_is_still_open(store: SqlStore) -> None:
    tracker = MemoryTracker()
    incident(store)
    action(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    assert "again" not in tracker.kept["1"].draft.body
    incident(store, "i2", later=timedelta(days=3))
    assert it.run_once(NOW + MINUTE).updated == 1
    assert "- **It happened again**: INC-2 on 2026-12-04\n" in tracker.kept["1"].draft.body
    assert it.run_once(NOW + 2 * MINUTE).updated == 0


def test_a_project_that_is_not_there_is_refused_and_no_ticket_is_given_up(store: SqlStore) -> None:
    tracker = MemoryTracker(trouble=[Gone("no such repository")])
    fires(store)
    it = daemon(store, tracker)
    assert it.run_once(NOW).failed == 1
    assert it.run_once(NOW + REFUSED_PAUSE).opened == 1


def test_an_action_is_done_when_people_close_its_ticket(store: SqlStore) -> None:
    tracker = MemoryTracker()
    incident(store)
    action(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    tracker.kept["1"].is_open = False
    assert it.run_once(NOW + MINUTE).closed_outside == 0  # it is not asked every minute
    assert it.run_once(NOW + LOOK_EVERY).closed_outside == 1
    with store.transaction(read_only=True) as transaction:
        done = transaction.follow_up.action("a1")
    assert done
    assert (done.state, done.ended_by, done.why) == (ActionState.DONE, "tracker work", "its ticket was closed")
    assert it.run_once(NOW + 2 * LOOK_EVERY).updated == 0
    assert not tracker.kept["1"].is_open


def test_a_ticket_that_people_deleted_is_left_alone_and_its_action_stays_open(store: SqlStore) -> None:
    tracker = MemoryTracker()
    incident(store)
    action(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    del tracker.kept["1"]
    it.run_once(NOW + LOOK_EVERY)
    ActionDesk(store, lambda: "x").change("a1", by="ann", now=NOW, owner="eve")
    turn = it.run_once(NOW + 2 * LOOK_EVERY)
    assert (turn.wanted, turn.opened, turn.updated, turn.failed) == (0, 0, 0, 0)
    with store.transaction(read_only=True) as transaction:
        still = transaction.follow_up.action("a1")
    assert still
    assert still.state is ActionState.OPEN


def test_a_tracker_that_fails_is_left_alone_for_a_while_and_then_gets_everything(store: SqlStore) -> None:
    tracker = MemoryTracker(trouble=[Transient("away"), Transient("away")])
    incident(store)
    for number in range(3):
        action(store, f"a{number}")
    it = daemon(store, tracker)
    assert it.run_once(NOW).failed == 3
    assert tracker.calls == ["open"]  # the others did not wait for it too
    assert it.run_once(NOW + FIRST_PAUSE / 2).failed == 3
    assert tracker.calls == ["open"]
    it.run_once(NOW + FIRST_PAUSE)
    it.run_once(NOW + 2 * FIRST_PAUSE)
    assert len(tracker.kept) == 0  # twice as long after the second failure
    turn = it.run_once(NOW + 3 * FIRST_PAUSE)
    assert (turn.opened, turn.failed) == (3, 0)
    assert sorted(each.draft.key for each in tracker.kept.values()) == ["action:a0", "action:a1", "action:a2"]


def test_a_rate_limit_is_kept(store: SqlStore) -> None:
    until = NOW + timedelta(minutes=9)
    tracker = MemoryTracker(trouble=[RateLimited("slower", until)])
    fires(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    it.run_once(until - timedelta(seconds=1))
    assert tracker.calls == ["open"]
    assert it.run_once(until).opened == 1


def test_what_is_refused_keeps_nothing_else_waiting_and_is_tried_again_in_an_hour(store: SqlStore) -> None:
    tracker = MemoryTracker(trouble=[Permanent("no such label")])
    incident(store)
    action(store, "a1")
    action(store, "a2")
    it = daemon(store, tracker)
    turn = it.run_once(NOW)
    assert (turn.opened, turn.failed) == (1, 1)
    assert it.run_once(NOW + REFUSED_PAUSE / 2).failed == 1
    assert it.run_once(NOW + REFUSED_PAUSE).opened == 1
    assert len(tracker.kept) == 2


def test_a_tracker_that_is_not_declared_any_more_keeps_its_tickets_waiting(store: SqlStore) -> None:
    tracker = MemoryTracker()
    fires(store)
    daemon(store, tracker).run_once(NOW)
    ends(store)
    it = daemon(store, tracker, (replace(WORK, name="jobs"),))
    assert it.run_once(NOW + MINUTE).failed == 1
    assert tracker.kept["1"].is_open


def test_a_tracker_that_is_declared_again_has_its_tickets_soon(store: SqlStore) -> None:
    tracker, declared = MemoryTracker(), [WORK]
    fires(store)
    it = TicketDaemon(store, lambda: tuple(declared), lambda known: tracker)
    it.run_once(NOW)
    ends(store)
    declared[:] = [replace(WORK, name="jobs")]
    it.run_once(NOW + MINUTE)
    declared[:] = [WORK]
    assert it.run_once(NOW + 2 * MINUTE).updated == 1
    assert not tracker.kept["1"].is_open


def test_a_lost_answer_opens_no_second_ticket_and_the_first_is_brought_up_to_date(store: SqlStore) -> None:
    tracker = MemoryTracker(loses_answers=1, settles_within=timedelta(minutes=2))
    incident(store)
    action(store)
    it = daemon(store, tracker)
    assert it.run_once(NOW).failed == 1
    ActionDesk(store, lambda: "x").change("a1", by="ann", now=NOW, owner="eve")
    it.run_once(NOW + MINUTE)
    assert tracker.calls == ["open"]  # the tracker could not know yet
    it.run_once(NOW + 2 * MINUTE)
    it.run_once(NOW + 3 * MINUTE)
    assert len(tracker.kept) == 1
    assert "Owner: **eve**" in tracker.kept["1"].draft.body


def test_a_crash_right_after_a_ticket_was_opened_leaves_that_one_only(store: SqlStore) -> None:
    tracker, issue = MemoryTracker(crash_after=True), fires(store)
    with pytest.raises(Crash):
        daemon(store, tracker).run_once(NOW)
    tracker.crash_after = False
    daemon(store, tracker).run_once(NOW + MINUTE)
    daemon(store, tracker).run_once(NOW + 2 * MINUTE)
    assert len(tracker.kept) == 1
    assert ticket(store, f"cost:{issue}").outside_id == "1"


def test_a_leader_that_lost_its_lease_opens_nothing(store: SqlStore) -> None:
    tracker = MemoryTracker()
    fires(store)
    lease = store.leases.acquire("flyball", "one", timedelta(seconds=1))
    assert lease
    store.leases.release(lease)
    assert store.leases.acquire("flyball", "two", timedelta(minutes=1))
    with pytest.raises(LeaseLost):
        daemon(store, tracker).run_once(NOW, lease)
    assert not tracker.calls


def test_people_close_cost_tickets_with_their_own_cause(store: SqlStore) -> None:
    tracker, issue = MemoryTracker(), fires(store)
    it = daemon(store, tracker)
    it.run_once(NOW)
    closed = wanting.close(store, f"cost:{issue}", by="ann", cause="a load test", now=NOW)
    assert closed
    it.run_once(NOW + MINUTE)
    assert not tracker.kept["1"].is_open
    assert "a load test" in tracker.kept["1"].draft.body
    ends(store)
    assert it.run_once(NOW + 2 * MINUTE).wanted == 0


def survived(empty_database: Path, folder: Path, dies_at: int) -> bool:
    """A ticket's life, with the process killed at one of its boundaries and started again; whether it was killed."""
    shutil.copy(empty_database, folder / "state.db")
    store, tracker = open_store(f"sqlite:///{folder}/state.db"), MemoryTracker(settles_within=timedelta(minutes=2))
    dying = Dying(dies_at)
    incident(store)
    action(store)
    fires(store)
    at = NOW

    def turn() -> None:
        nonlocal at
        at += timedelta(minutes=5)
        TicketDaemon(dying.over(store), lambda: (WORK,), lambda _: dying.around(tracker), "").run_once(at)

    def lives(then: Callable[[], object]) -> None:
        for _ in range(3):
            try:
                turn()
            except Crash:
                continue
        then()

    lives(lambda: ends(store, at=at))
    lives(lambda: ActionDesk(store, lambda: "x").end("a1", ActionState.DONE, by="ben", why="merged", now=at))
    lives(lambda: None)
    assert sorted(each.draft.key.partition(":")[0] for each in tracker.kept.values()) == ["action", "cost"]
    assert not any(each.is_open for each in tracker.kept.values())
    with store.transaction(read_only=True) as transaction:
        found = transaction.follow_up.tickets()
        assert [each.told_version for each in found] == [each.wanted_version for each in found]
        events = [each.action for each in transaction.audit.entries() if each.action.startswith("ticket.")]
    assert sorted(set(events)) == ["ticket.closed", "ticket.opened"]
    store.close()
    return dying.has_died


@pytest.mark.parametrize("dies_at", [13, 15, 24])
def test_killed_at_a_boundary_of_a_tickets_life_there_is_one_ticket_of_each(
    empty_database: Path, tmp_path: Path, dies_at: int
) -> None:
    assert survived(empty_database, tmp_path, dies_at)


@pytest.mark.soak
def test_killed_at_every_boundary_of_a_tickets_life_there_is_one_ticket_of_each(
    empty_database: Path, tmp_path: Path
) -> None:
    boundaries = itertools.count(1)
    while survived(empty_database, tmp_path, dies_at := next(boundaries)):
        pass
    assert dies_at > 60


@settings(max_examples=4)
@given(
    troubles=st.lists(st.sampled_from(["fine", "away", "refused", "lost", "crash", "restart"]), max_size=7),
    ending=st.integers(min_value=0, max_value=7),
)
def test_whatever_fails_in_whatever_order_there_is_one_ticket_at_the_end_and_it_says_how_it_ended(
    empty_database: object, troubles: list[str], ending: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(str(empty_database), f"{folder}/state.db")
        store = open_store(f"sqlite:///{folder}/state.db")
        try:
            _run_through(store, troubles, ending)
        finally:
            store.close()


def _run_through(store: SqlStore, troubles: list[str], ending: int) -> None:
    tracker, issue, at = MemoryTracker(settles_within=timedelta(minutes=2)), fires(store), NOW
    it = daemon(store, tracker)
    for number, trouble in enumerate(troubles):
        at += timedelta(minutes=20)
        if number == ending:
            ends(store, at=at)
        tracker.crash_after = trouble == "crash"
        tracker.loses_answers = int(trouble == "lost")
        tracker.trouble = {"away": [Transient("away")], "refused": [Permanent("no")]}.get(trouble, [])
        try:
            it.run_once(at)
        except Crash:
            it = daemon(store, tracker)
        if trouble == "restart":
            it = daemon(store, tracker)
    tracker.crash_after, tracker.loses_answers, tracker.trouble = False, 0, []
    if ending >= len(troubles):
        ends(store, at=at)
    for _ in range(4):
        at += timedelta(hours=1)
        it.run_once(at)
    assert len(tracker.kept) == 1
    assert not tracker.kept["1"].is_open
    kept = ticket(store, f"cost:{issue}")
    assert kept.told_version == kept.wanted_version
    assert tracker.kept["1"].draft.body == kept.body
