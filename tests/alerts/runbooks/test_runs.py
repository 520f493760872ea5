"""Runs of runbooks on a real store: what is done, in what order, with whose leave, and what is left when it fails."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.incidents.desk import Desk
from alerts.model import AlertsDeclared
from alerts.runbooks import asking
from alerts.runbooks.asking import Refused
from alerts.runbooks.daemon import RunbookDaemon
from alerts.runbooks.model import Runbook, StepKind
from alerts.runbooks.running import StepState, results_of
from controlplane.model.follow_up import RunbookRun, RunState
from controlplane.model.incident import IncidentAlert, Priority, TimelineKind
from controlplane.ports import LeaseLost
from controlplane.store import SqlStore
from tests.alerts.kept_store import NOW, SetClock, kept_store
from tests.alerts.runbooks.running import Hands, a_runbook, a_step
from tests.contracts.storing import firing


class Bench:
    """A store, runbooks, and who carries them out."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = SetClock()
        self.hands = Hands()
        self.declared = AlertsDeclared()
        self.stopped = ""

    def declare(self, *runbooks: Runbook) -> None:
        self.declared = replace(self.declared, runbooks=runbooks)

    def daemon(self) -> RunbookDaemon:
        return RunbookDaemon(
            self.store, lambda: self.declared, {StepKind.HTTP: self.hands}, clock=self.clock,
            is_stopped=lambda: self.stopped,
        )  # fmt: skip

    def begin(self, runbook: Runbook, *, dry: bool = False, incident: str = "", run: str = "r1") -> RunbookRun:
        return asking.begin(
            self.store, runbook, incident=incident, by="ann", is_dry=dry, why="INC-7", now=self.clock.now(), run=run
        )

    def turn(self, length: timedelta = timedelta(0)) -> None:
        self.daemon().run_once(self.clock.pass_(length))

    def run(self, id_: str = "r1") -> RunbookRun:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.follow_up.run(id_)
        assert found is not None
        return found

    def states(self) -> list[str]:
        return [result.state.value for result in results_of(self.run())]

    def actions(self) -> list[str]:
        with self.store.transaction(read_only=True) as transaction:
            return [entry.action for entry in transaction.audit.entries()]

    def incident(self) -> str:
        desk = Desk(self.store, lambda: self.declared, lambda: "i1", read_time=lambda _, now: now)
        return desk.declare(
            "it burns", priority=Priority.P1, service="gateway", summary="", receivers=[], policy="", by="ann", now=NOW
        ).incident.id


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with kept_store(tmp_path) as store:
        yield Bench(store)


def test_automatic_steps_run_in_order_after_all_of_them_were_checked(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two"))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn()
    assert bench.run().state is RunState.DONE
    assert bench.hands.did == ["one", "two"]
    assert bench.hands.keys == ["r1:1", "r1:2"]
    assert [(each.text, each.output) for each in results_of(bench.run())] == [("one done", "ok"), ("two done", "ok")]
    assert bench.actions() == [
        "runbook.begun", "runbook.checked", "runbook.step_begun", "runbook.step_done", "runbook.step_begun",
        "runbook.step_done", "runbook.done",
    ]  # fmt: skip
    bench.turn()
    assert bench.hands.did == ["one", "two"]


def test_nothing_is_done_when_one_step_could_not_be(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two"))
    bench.declare(runbook)
    bench.hands.impossible = {"two": "it is not on the list"}
    bench.begin(runbook)
    bench.turn()
    assert bench.run().state is RunState.FAILED
    assert bench.run().why == "step 2, two, cannot be done: it is not on the list. Nothing was changed"
    assert bench.hands.did == []


def test_a_dry_run_does_only_what_changes_nothing_and_asks_nobody(bench: Bench) -> None:
    runbook = a_runbook(a_step("look", automatic=False, changes=False), a_step("change", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook, dry=True)
    bench.turn()
    assert bench.run().state is RunState.DONE
    assert bench.hands.did == ["look"]
    assert bench.states() == ["done", "shown"]


def test_a_step_waits_until_somebody_approves_that_very_step(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two", automatic=False), a_step("three", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn()
    assert (bench.run().state, bench.run().next_step, bench.hands.did) == (RunState.WAITING, 1, ["one"])
    with pytest.raises(Refused, match="waits for step 2, two"):
        asking.approve(bench.store, "r1", 3, by="ben", now=NOW)
    asking.approve(bench.store, "r1", 2, by="ben", now=NOW)
    asking.approve(bench.store, "r1", 2, by="cleo", now=NOW)  # twice is once
    bench.turn()
    assert (bench.run().state, bench.hands.did) == (RunState.WAITING, ["one", "two"])
    assert results_of(bench.run())[1].approved_by == "ben"
    asking.approve(bench.store, "r1", 3, by="ben", now=NOW)
    bench.turn()
    assert (bench.run().state, bench.hands.did) == (RunState.DONE, ["one", "two", "three"])
    assert bench.actions().count("runbook.approved") == 2


def test_a_failed_step_stops_the_run_and_says_so_where_the_incident_is_read(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two"), a_step("three"))
    bench.declare(runbook)
    bench.hands.faults = {"two": "it answered 500"}
    incident = bench.incident()
    bench.begin(runbook, incident="INC-1")
    bench.turn()
    assert bench.run().state is RunState.FAILED
    assert bench.hands.did == ["one", "two"]
    assert bench.states() == ["done", "failed", "checked"]
    with bench.store.transaction(read_only=True) as transaction:
        lines = [each.text for each in transaction.incidents.timeline(incident) if each.kind is TimelineKind.RUNBOOK]
        version = transaction.incidents.incident(incident).version  # type: ignore[union-attr]
        ran = [each.event for each in transaction.events.after(0, 100, ["runbook.ran"])]
    assert lines[0] == "ann began the runbook outage: INC-7"
    assert lines[-1] == "The runbook outage stopped: step 2, two, failed: it answered 500"
    assert version == 2  # those who are told of the incident hear of it
    assert [(each.subject, each.data["state"], each.data["done"]) for each in ran] == [("outage", "failed", 1)]
    bench.turn(timedelta(hours=1))
    assert bench.hands.did == ["one", "two"]


def test_who_refuses_a_step_ends_the_run_and_a_run_that_is_over_cannot_be_approved(bench: Bench) -> None:
    runbook = a_runbook(a_step("one", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn()
    asking.end(bench.store, "r1", by="ben", why="too risky", now=NOW)
    bench.turn()
    assert (bench.run().state, bench.run().why, bench.hands.did) == (RunState.REFUSED, "ben: too risky", [])
    with pytest.raises(Refused, match="is over: it was refused"):
        asking.approve(bench.store, "r1", 1, by="ann", now=NOW)


def test_cancelling_while_a_step_is_under_way_keeps_what_came_of_it_and_does_no_more(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two"))
    bench.declare(runbook)
    bench.hands.meanwhile = lambda: asking.end(bench.store, "r1", by="ben", why="", now=NOW)
    bench.begin(runbook)
    bench.turn()
    assert (bench.run().state, bench.states()) == (RunState.CANCELLED, ["done", "checked"])
    assert bench.hands.did == ["one"]


def test_a_run_that_is_cancelled_before_its_step_is_written_down_as_begun_does_nothing(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"))
    bench.declare(runbook)
    bench.hands.before = lambda: asking.end(bench.store, "r1", by="ben", why="", now=NOW)
    bench.begin(runbook)
    bench.turn()
    assert (bench.run().state, bench.states(), bench.hands.did) == (RunState.CANCELLED, ["checked"], [])


def test_an_edited_runbook_is_not_run_on(bench: Bench) -> None:
    runbook = a_runbook(a_step("one", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn()
    asking.approve(bench.store, "r1", 1, by="ben", now=NOW)
    bench.declare(a_runbook(a_step("one", automatic=False, body="other")))
    bench.turn()
    assert (bench.run().state, bench.hands.did) == (RunState.CANCELLED, [])
    assert "was changed since the run began" in bench.run().why


def test_what_nobody_took_up_in_time_does_not_happen_by_surprise(bench: Bench) -> None:
    runbook = a_runbook(a_step("one", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn(timedelta(minutes=16))
    assert (bench.run().state, bench.hands.did) == (RunState.CANCELLED, [])
    bench.begin(runbook, run="r2")
    bench.turn()
    bench.turn(timedelta(hours=25))
    assert bench.run("r2").why == "nobody approved its next step within a day"


def test_nothing_is_done_while_the_kill_switch_is_set(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.stopped = "set by ann"
    bench.turn()
    assert bench.hands.did == []
    bench.stopped = ""
    bench.turn()
    assert bench.hands.did == ["one"]


def test_a_runbook_runs_once_at_a_time_for_one_incident(bench: Bench) -> None:
    runbook = a_runbook(a_step("one", automatic=False))
    bench.declare(runbook)
    bench.begin(runbook)
    with pytest.raises(Refused, match="it runs already, as r1"):
        bench.begin(runbook, run="r2")
    bench.begin(runbook, run="r3", dry=True)
    with pytest.raises(Refused, match="no incident `INC-9`"):
        bench.begin(runbook, run="r4", incident="INC-9")
    with pytest.raises(Refused, match="has no steps"):
        bench.begin(a_runbook(name="read-me"), run="r5")


def opened(bench: Bench, *, url: str = "") -> str:
    """An incident that an alert opened, which links that runbook or is named by one."""
    incident = bench.incident()
    alert = replace(
        firing(starts_at=NOW), labels={"alertname": "Other" if url else "SLOErrorBudgetBurn"},
        annotations={"runbook_url": url},
    )  # fmt: skip
    with bench.store.transaction() as transaction:
        transaction.alerts.record(alert, NOW)
        transaction.incidents.join([IncidentAlert(incident, alert.fingerprint, NOW, NOW)])
    return incident


def test_a_runbook_that_starts_by_itself_does_so_once_when_its_incident_opens(bench: Bench) -> None:
    bench.declare(a_runbook(a_step("one"), a_step("two", automatic=False), by_itself=True), a_runbook(name="other"))
    incident = opened(bench)
    bench.turn()
    bench.turn()
    with bench.store.transaction(read_only=True) as transaction:
        (run,) = transaction.follow_up.runs(incident)
    assert (run.state, run.actor, bench.hands.did) == (RunState.WAITING, "flyball", ["one"])
    desk = Desk(bench.store, lambda: bench.declared, lambda: "x", read_time=lambda _, now: now)
    desk.resolve(incident, by="ann", via="cli", why="", now=NOW)
    bench.turn()
    assert bench.run(run.id).why == "the incident is over"


def test_nothing_starts_by_itself_for_an_incident_that_is_old(bench: Bench) -> None:
    bench.declare(a_runbook(a_step("one"), by_itself=True))
    opened(bench)
    bench.turn(timedelta(minutes=20))
    assert bench.hands.did == []


def test_a_runbook_that_an_alert_links_starts_by_itself_as_well(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), by_itself=True)
    bench.declare(replace(runbook, matchers=(), url="https://runbooks.example/outage"))
    opened(bench, url="https://runbooks.example/outage")
    bench.turn()
    assert bench.hands.did == ["one"]


def test_the_state_of_every_step_is_kept_as_it_was_written(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"))
    bench.declare(runbook)
    bench.begin(runbook)
    bench.turn()
    (result,) = results_of(bench.run())
    assert result.state is StepState.DONE
    assert (result.begun_at, result.ended_at, result.seconds, result.before) == (NOW, NOW, 0, "as it was")


def test_who_lost_the_lease_during_a_step_writes_nothing_and_the_next_leader_finds_out(bench: Bench) -> None:
    runbook = a_runbook(a_step("one"), a_step("two"))
    bench.declare(runbook)
    lease = bench.store.leases.acquire("leader", "a", timedelta(minutes=1))
    assert lease is not None

    def lose() -> None:
        bench.store.leases.release(lease)
        assert bench.store.leases.acquire("leader", "b", timedelta(minutes=1)) is not None

    bench.hands.meanwhile = lose
    bench.begin(runbook)
    with pytest.raises(LeaseLost):
        bench.daemon().run_once(bench.clock.now(), lease)
    assert (bench.states(), bench.actions()[-1]) == (["begun", "checked"], "runbook.step_begun")
    bench.hands.meanwhile = lambda: None
    bench.turn(timedelta(seconds=70))  # the step may still be under way there
    assert bench.states() == ["begun", "checked"]
    bench.turn(timedelta(seconds=10))
    assert bench.run().state is RunState.FAILED
    assert bench.hands.did == ["one"]
