"""Actions, tickets, runs of runbooks and access tokens, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from controlplane.incident_ports import FollowUpLog
from controlplane.model.follow_up import AccessToken, Action, ActionState, Role, RunbookRun, RunState, Ticket
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND

TODAY = date(2026, 3, 1)
DAY = timedelta(days=1)


@contextmanager
def following_up(store: SqlStore) -> Iterator[FollowUpLog]:
    with store.transaction() as transaction:
        yield transaction.follow_up


def an_action(name: str = "a1", **changes: Any) -> Action:
    return replace(Action(name, "i1", "alert on the queue", "ann", TODAY, NOW, "ben"), **changes)


def a_ticket(key: str = "action:a1", **changes: Any) -> Ticket:
    return replace(Ticket(key, "work", "title", "böse\nlines", ("flyball", "p1"), NOW, NOW), **changes)


def a_run(name: str = "r1", **changes: Any) -> RunbookRun:
    return replace(RunbookRun(name, "gateway", "i1", "ann", True, RunState.WAITING, NOW, NOW), **changes)


def test_an_action_comes_back_as_it_was_put_last(store: SqlStore) -> None:
    done = an_action(state=ActionState.DONE, ended_at=NOW, ended_by="ann", why="merged", reported_at=NOW)
    with following_up(store) as log:
        assert log.action("a1") is None
        for each in (an_action(), done):
            log.put_action(each)
            assert log.action("a1") == each


def test_actions_come_by_due_date_and_those_of_today_are_not_overdue(store: SqlStore) -> None:
    with following_up(store) as log:
        log.put_action(an_action("today"))
        log.put_action(an_action("next", created_at=NOW + SECOND))
        log.put_action(an_action("late", due=TODAY - DAY, incident="i2"))
        log.put_action(an_action("dropped", due=TODAY - 2 * DAY, state=ActionState.DROPPED))
        assert [each.id for each in log.actions()] == ["dropped", "late", "today", "next"]
        assert [each.id for each in log.actions("i1")] == ["dropped", "today", "next"]
        assert [each.id for each in log.actions(only_open=True, due_before=TODAY)] == ["late"]
        assert log.actions("i1", only_open=True, due_before=TODAY) == []


def test_there_is_one_ticket_of_a_key_and_it_is_untold_until_the_tracker_shows_what_is_wanted(store: SqlStore) -> None:
    opened = a_ticket(outside_id="17", url="https://t/17", told_version=1, data={"node": "x", "n": 1})
    changed = replace(opened, wanted_version=2, body="more")
    closed = replace(changed, told_version=2, is_open=False, cause="the action was done")
    with following_up(store) as log:
        assert log.ticket("action:a1") is None
        log.put_ticket(a_ticket("cost:1", created_at=NOW - SECOND, told_version=1))
        for each, is_untold in ((a_ticket(), True), (opened, False), (changed, True), (closed, False)):
            log.put_ticket(each)
            assert log.ticket("action:a1") == each
            assert log.tickets(only_untold=True) == ([each] if is_untold else [])
        assert [each.key for each in log.tickets()] == ["cost:1", "action:a1"]
        assert [each.key for each in log.tickets(only_open=True)] == ["cost:1"]
        assert [each.key for each in log.tickets(limit=1)] == ["cost:1"]


def test_a_run_of_a_runbook_comes_back_as_it_was_put_last(store: SqlStore) -> None:
    failed = a_run(
        is_dry=False, state=RunState.FAILED, updated_at=NOW + MINUTE, next_step=1,
        results=({"step": "drain", "status": 200, "took": "1.5"}, {}), steps_hash="ab", why="503",
    )  # fmt: skip
    with following_up(store) as log:
        assert log.run("r1") is None
        for each in (a_run(), failed):
            log.put_run(each)
            assert log.run("r1") == each
        log.put_run(a_run("r2", incident="i2", created_at=NOW + SECOND))
        log.put_run(a_run("r3", runbook="database", created_at=NOW + MINUTE))
        assert [each.id for each in log.runs()] == ["r3", "r2", "r1"]
        assert [each.id for each in log.runs("i1")] == ["r3", "r1"]
        assert [each.id for each in log.runs(runbook="gateway", limit=1)] == ["r2"]
        assert log.runs("i2", "database") == []


def test_a_token_is_known_by_its_digest_and_its_name(store: SqlStore) -> None:
    ann = AccessToken("ann", Role.RESPONDER, "d1", NOW, "ben", NOW + DAY)
    robot = AccessToken("robot", Role.VIEWER, "d2", NOW)
    with store.transaction() as transaction:
        log = transaction.access
        assert log.token_of("d1") is None
        log.put_token(robot)
        log.put_token(ann)
        assert (log.token_of("d1"), log.token_of("d2"), log.tokens()) == (ann, robot, [ann, robot])
        revoked = replace(ann, digest="d3", role=Role.ADMIN, revoked_at=NOW, last_used_at=NOW)
        log.put_token(revoked)
        assert (log.token_of("d1"), log.token_of("d3")) == (None, revoked)
    with pytest.raises(Permanent, match=r"(?i)unique"), store.transaction() as transaction:
        transaction.access.put_token(replace(robot, digest="d3"))
