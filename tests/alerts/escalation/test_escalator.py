"""Who is told, one after the other, until somebody acknowledges."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.incident_names import EVENT_INCIDENT_ESCALATED
from controlplane.model.incident import IncidentState, Priority, TimelineKind
from controlplane.ports import LeaseLost
from controlplane.store import SqlStore
from tests.alerts.escalation.bench import DECLARED, MINUTE, P0, SECOND, Bench, bench, rows, without_steps
from tests.alerts.kept_store import NOW, kept_store

TICK_SECONDS = 5


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def lines(made: Bench, incident: str) -> list[str]:
    return [each.text for each in made.timeline(incident) if each.kind is TimelineKind.ESCALATED]


def test_each_is_told_in_turn_though_everything_restarts_in_each_wait(tmp_path: Path) -> None:
    fired: dict[str, timedelta] = {}
    with bench(tmp_path) as made:
        incident = made.open()
    for _ in range(18):
        with kept_store(tmp_path) as store:
            for _ in range(0, 60, TICK_SECONDS):
                for each in made.restarted(store).run_once(NOW).fired:
                    (name,) = each.step.told
                    assert name not in fired
                    fired[name] = made.clock.now() - NOW
                made.clock.pass_(TICK_SECONDS * SECOND)
    assert list(fired) == ["ann", "release-lead", "secops", "exec"]
    for late, minutes in zip(fired.values(), (0, 5, 10, 15), strict=True):
        assert timedelta(0) <= late - minutes * MINUTE < TICK_SECONDS * SECOND
    with kept_store(tmp_path) as store, store.transaction(read_only=True) as transaction:
        events = transaction.events.between(NOW, NOW + 20 * MINUTE, (EVENT_INCIDENT_ESCALATED,))
        assert [each.event.data["told"] for each in events] == [["ann"], ["release-lead"], ["secops"], ["exec"]]
        assert {each.event.subject for each in events} == {incident.id}
        audited = [each for each in transaction.audit.entries() if each.action == EVENT_INCIDENT_ESCALATED]
        assert [each.detail["told"] for each in audited] == [["ann"], ["release-lead"], ["secops"], ["exec"]]
        assert {each.subject for each in audited} == {"INC-1"}
        assert transaction.audit.verify() is None


def test_those_told_before_are_told_that_somebody_else_is(desk: Bench) -> None:
    incident = desk.open()
    assert desk.told() == []  # it has no receivers of its own
    desk.run()
    assert desk.told() == ["email:ann"]
    desk.clock.pass_(5 * MINUTE)
    desk.run()
    assert desk.told() == ["email:ann", "email:release-lead"]
    desk.run()
    assert desk.told() == []
    assert desk.incident(incident.id).receivers == ("ann", "release-lead")


def test_the_timeline_says_who_was_told_and_why(desk: Bench) -> None:
    incident = desk.open()
    desk.run()
    desk.clock.pass_(7 * MINUTE)
    desk.run()
    assert lines(desk, incident.id) == [
        "ann (on call by sre) is told (step 1 of p0)",
        "Nobody acknowledged for 5 min: release-lead is told (step 2 of p0, 2 min late)",
    ]


def test_all_that_is_due_after_a_pause_fires_in_order_and_at_once(desk: Bench) -> None:
    incident = desk.open()
    desk.clock.pass_(12 * MINUTE)
    assert [each.step.told for each in desk.run().fired] == [("ann",), ("release-lead",), ("secops",)]
    assert desk.told() == ["email:ann", "email:release-lead", "email:secops"]
    assert [each.fired_at is None for each in desk.steps(incident.id)] == [False, False, False, True]


def test_whoever_is_on_call_when_a_step_fires_is_told(desk: Bench) -> None:
    desk.clock.at = NOW.replace(hour=23, minute=58)
    again = replace(P0.steps[1], targets=P0.steps[0].targets)
    desk.declared = replace(DECLARED, policies=(replace(P0, steps=(P0.steps[0], again)),))
    desk.open()
    desk.run()
    desk.clock.pass_(5 * MINUTE)  # midnight: ben takes over
    assert desk.run().fired[0].step.told == ("ben",)


@pytest.mark.parametrize("way", ["acknowledge", "resolve"])
def test_nobody_else_is_told_once_somebody_has_it_or_it_is_over(desk: Bench, way: str) -> None:
    incident = desk.open()
    desk.run()
    desk.clock.pass_(4 * MINUTE)
    if way == "acknowledge":
        desk.desk.acknowledge(incident.id, by="ann", via="cli", now=NOW)
    else:
        desk.desk.resolve(incident.id, by="ann", via="cli", why="", now=NOW)
    for _ in range(20):
        desk.clock.pass_(MINUTE)
        assert desk.run().fired == ()
    found = desk.steps(incident.id)
    assert [each.cancelled_at for each in found] == [None, *[NOW + 4 * MINUTE] * 3]


def test_a_step_that_reaches_nobody_waits_for_nobody(desk: Bench) -> None:
    incident = desk.open("twice", Priority.P2)
    assert [(each.step.step, each.step.told) for each in desk.run().fired] == [(0, ()), (1, ()), (2, ("ann",))]
    assert lines(desk, incident.id) == [
        "nobody can be told (step 1 of twice); nobody is on call by night",
        "Nobody acknowledged for 3 min: nobody can be told (step 2 of twice); critical takes nothing of P2",
        "Nobody acknowledged for 6 min: ann is told (step 3 of twice); there is no Receiver gone any more",
    ]
    desk.clock.pass_(8 * MINUTE)
    assert desk.run().fired == ()
    desk.clock.pass_(MINUTE)
    assert [(each.step.round, each.step.step) for each in desk.run().fired] == [(1, 0), (1, 1), (1, 2)]
    assert lines(desk, incident.id)[-1].startswith("Still nobody has it: ann is told")


def test_receivers_that_are_not_declared_any_more_are_no_stop(desk: Bench) -> None:
    desk.open()
    desk.declared = without_steps(DECLARED, "ann", "release-lead", "secops", "exec")
    assert [each.step.told for each in desk.run().fired] == [()] * 4
    assert desk.told() == []


def test_an_acknowledgement_that_nobody_followed_up_lapses_and_the_steps_begin_again(desk: Bench) -> None:
    incident = desk.open("twice")
    desk.run()
    desk.desk.acknowledge(incident.id, by="ann", via="cli", now=NOW)
    desk.clock.pass_(15 * MINUTE)
    desk.desk.note(incident.id, text="looking", by="ann", via="cli", now=NOW)
    desk.clock.pass_(19 * MINUTE)
    assert desk.run().lapsed == ()  # the note counts
    desk.clock.pass_(MINUTE)
    assert desk.run().lapsed == (incident.id,)
    found = desk.incident(incident.id)
    assert (found.state, found.acknowledged_at, found.acknowledged_by) == (IncidentState.OPEN, None, "")
    assert lines(desk, incident.id)[-1] == (
        "The acknowledgement of ann lapsed: nobody noted anything for 20 min. Escalation begins again"
    )
    fired = desk.run().fired
    assert [(each.step.round, each.step.step, each.step.told) for each in fired] == [(2, 0, ()), (2, 1, ("critical",))]
    due = [each for each in desk.steps(incident.id) if each.fired_at is None and each.cancelled_at is None]
    assert [(each.round, each.step) for each in due] == [(2, 2), (3, 0), (3, 1), (3, 2)]
    assert desk.run().lapsed == ()


def test_an_acknowledgement_without_an_end_stays(desk: Bench) -> None:
    incident = desk.open()
    desk.desk.acknowledge(incident.id, by="ann", via="cli", now=NOW)
    desk.clock.pass_(timedelta(days=3))
    assert desk.run().lapsed == ()
    assert desk.incident(incident.id).state is IncidentState.ACKNOWLEDGED


def test_a_leader_that_stalled_writes_nothing_and_the_next_one_fires_what_is_due(tmp_path: Path) -> None:
    with kept_store(tmp_path) as first, kept_store(tmp_path) as second:
        made = Bench(first)
        made.open()
        stalled = first.leases.acquire("leader", "a", timedelta(milliseconds=1))
        made.run(stalled)
        leader = None
        while leader is None:
            leader = second.leases.acquire("leader", "b", timedelta(minutes=5))
        made.clock.pass_(5 * MINUTE)
        before, known = rows(first), dump(first)
        with pytest.raises(LeaseLost):
            made.run(stalled)
        assert (rows(first), dump(first)) == (before, known)
        made.restarted(second)
        assert [each.step.told for each in made.run(leader).fired] == [("release-lead",)]
        made.clock.pass_(5 * MINUTE)
        made.restarted(first)
        with pytest.raises(LeaseLost):  # nor when another step is due
            made.run(stalled)
        made.restarted(second)
        assert [each.step.told for each in made.run(leader).fired] == [("secops",)]


def dump(store: SqlStore) -> list[str]:
    """Every row of every table."""
    raw = store._engine.raw_connection()
    try:
        return [line for line in raw.driver_connection.iterdump() if not line.startswith('INSERT INTO "leases"')]  # type: ignore[union-attr]
    finally:
        raw.close()
