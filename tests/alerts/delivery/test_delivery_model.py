"""Whatever happens to incidents, providers and processes: in the end everything is told as it is."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from alerts.delivery.showing import Shown
from alerts.model import Snapshot
from alerts.ports import RateLimited
from controlplane.model.incident import Incident, IncidentState, OutsideObject, Priority
from controlplane.ports import Transient
from tests.alerts.delivery.house import PAGER, House
from tests.alerts.kept_store import kept_store
from tests.alerts.snapshots import acknowledged, resolved

MISHAPS = ("down", "429", "answer lost", "killed before", "killed after")


class Killed(BaseException):
    """The process is gone at this point."""


class World(RuleBasedStateMachine):
    """One pager, a few incidents. Each call may be lost on the way there, on the way back, or with our process."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = kept_store(Path(self.folder.name))
        self.house = House(self.opened.__enter__())
        self.mishaps: list[str] = []
        self.told: dict[str, list[str]] = {}
        self.incidents: dict[str, Incident] = {}
        self.house.providers[PAGER.name].show = self.show  # type: ignore[method-assign]

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """A trigger, then a resolve if it is over: each a call with a mishap of its own."""
        standing = str(outside.data.get("standing", "")) if outside else ""
        calls = {True: ["trigger"], False: ["trigger", "resolve"]}[snapshot.incident.is_open]
        for call in calls[1:] if standing else calls:
            mishap = self.mishaps.pop(0) if self.mishaps else "fine"
            if mishap == "down":
                raise Transient("503")
            if mishap == "429":
                raise RateLimited("429", self.house.now + timedelta(seconds=5))
            if mishap == "killed before":
                raise Killed
            self.told.setdefault(snapshot.incident.id, []).append(call)
            if mishap == "answer lost":
                raise Transient("reset")
            if mishap == "killed after":
                raise Killed
            yield Shown(
                snapshot.incident.id, is_closed=call == "resolve", is_whole=call == calls[-1], data={"standing": call}
            )
        if standing and snapshot.incident.is_open:
            yield Shown(snapshot.incident.id, data={"standing": standing})

    @rule(name=st.sampled_from("abc"), priority=st.sampled_from([Priority.P1, Priority.P3]))
    def opens(self, name: str, priority: Priority) -> None:
        if name not in self.incidents:
            self.incidents[name] = self.house.open(name, priority=priority)

    @rule(name=st.sampled_from("abc"), change=st.sampled_from(["news", "taken", "over"]))
    def changes(self, name: str, change: str) -> None:
        incident = self.incidents.get(name)
        if incident is None or not incident.is_open:
            return
        if change == "taken" and incident.state is IncidentState.OPEN:
            incident = acknowledged(incident, self.house.now)
        elif change == "over":
            incident = resolved(incident, self.house.now)
        else:
            incident = replace(incident, version=incident.version + 1)
        self.incidents[name] = self.house.tell(incident)

    @rule(
        mishaps=st.lists(st.sampled_from(["down", "429", "answer lost", "killed before", "killed after"]), max_size=3)
    )
    def delivers(self, mishaps: list[str]) -> None:
        self.mishaps = mishaps
        try:
            self.house.run()
        except Killed:
            self.house.lanes.close()
            self.house.restart()
        self.mishaps = []

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.house.clock.pass_(timedelta(seconds=seconds))
        self.house.fallbacks.run_once(self.house.now)
        self.house.closing.run_once(self.house.now)

    @invariant()
    def a_trigger_is_always_first_and_never_follows_a_resolve(self) -> None:
        for calls in self.told.values():
            ends = calls.index("resolve") if "resolve" in calls else len(calls)
            assert set(calls[:ends]) == {"trigger"}
            assert set(calls[ends:]) <= {"resolve"}

    def teardown(self) -> None:
        self.mishaps = []
        for _ in range(4):
            self.house.clock.pass_(timedelta(seconds=61))
            self.house.run()
        pending, dead = self.house.backlog()
        assert (pending, dead) == (0, 0)
        for name, incident in self.incidents.items():
            assert self.told[name][-1] == ("trigger" if incident.is_open else "resolve")
            outside = self.house.outside(name, PAGER)
            assert outside is not None
            assert (outside.told_version, outside.closed_at is None) == (incident.version, incident.is_open)
        self.house.lanes.close()
        self.opened.__exit__(None, None, None)
        self.folder.cleanup()


def test_whatever_happens_everything_is_told_as_it_is_in_the_end() -> None:
    run_state_machine_as_test(World, settings=settings(max_examples=6, stateful_step_count=15, deadline=None))


@pytest.mark.soak
def test_whatever_happens_for_long_everything_is_told_as_it_is_in_the_end() -> None:
    run_state_machine_as_test(World, settings=settings(max_examples=300, stateful_step_count=40, deadline=None))
