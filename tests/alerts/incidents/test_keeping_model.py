"""Whatever is delivered, however often, late, at once or half: each alert is in one incident, each incident is told."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alerts.incidents.daemon import QuietDaemon
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import Incident, IncidentState, Priority
from controlplane.ports import Transient
from controlplane.store import SqlStore, open_store
from tests.alerts.incidents.bench import DECLARED, MINUTE, T0, Bench, alert, ended

_Key = tuple[str, datetime]

KINDS = [
    {"severity": "page"},
    {"severity": "page", "pod": "2"},
    {"severity": "page", "team": "payments"},
    {"severity": "ticket"},
    {"severity": "page", "slo": "search"},
    {"severity": "page", "service": "", "slo": "", "name": "DiskFull"},
    {"severity": "page", "service": "", "slo": "", "name": "NodeDown"},
]
QUICK = [Phase.explicit, Phase.reuse, Phase.generate]  # a run is read as it is: shrinking takes minutes
RECEIVERS = ["default", "pages", "audit", "somebody-elses"]
picks = st.lists(st.tuples(st.integers(0, len(KINDS) - 1), st.integers(0, 2), st.booleans()), min_size=1, max_size=5)


def made(kind: int, start: int, is_over: bool) -> Alert:
    labels: dict[str, Any] = dict(KINDS[kind])
    fires = alert(labels.pop("name", "SLOErrorBudgetBurn"), starts_at=T0 + start * MINUTE, **labels)
    return ended(fires) if is_over else fires


def group_of(alert: Alert, receiver: str) -> tuple[str, ...]:
    """Which incident an alert belongs to, by the routes of the bench, said once more."""
    labels = alert.labels
    routes = ["pages"] if labels["severity"] == "page" else []
    routes += ["audit"] if labels.get("team") == "payments" else []
    routes = routes or ["default"]
    first = routes[0] if receiver in routes or receiver not in RECEIVERS[:3] else receiver
    about = labels.get("service", ""), labels.get("slo", "")
    return (first, *about) if any(about) else (first, *about, labels["alertname"])


@dataclass
class Expected:
    """An incident as it must be."""

    group: tuple[str, ...]
    members: dict[_Key, bool] = field(default_factory=dict)  # whether it fires
    is_open: bool = True
    id: str = ""


class Breaking:
    """A store whose next transaction is lost at its end, when that is asked for."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.breaks = False
        self.leases = store.leases

    @contextmanager
    def transaction(self, **how: Any) -> Iterator[Any]:
        with self._store.transaction(**how) as transaction:
            yield transaction
            if self.breaks and not how.get("read_only"):
                self.breaks = False
                raise Transient("the connection is gone")

    def ping(self) -> None:
        self._store.ping()


class Incidents(RuleBasedStateMachine):
    empty: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, self.folder / "state.db")
        self.opened = open_store(f"sqlite:///{self.folder}/state.db")
        self.store = Breaking(self.opened)
        self.bench = Bench(self.store)
        self.expected: list[Expected] = []
        self.known: dict[_Key, bool] = {}  # alerts as the log has them: whether they fire
        self.told: dict[tuple[str, str], int] = {}

    def teardown(self) -> None:
        self.opened.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.bench.now = T0

    @rule(picked=picks, receiver=st.sampled_from(RECEIVERS))
    def deliver(self, picked: list[tuple[int, int, bool]], receiver: str) -> None:
        alerts = [made(*each) for each in picked]
        self.bench.receive(*alerts, receiver=receiver)
        self._expect(alerts, receiver)

    @rule(picked=picks, receiver=st.sampled_from(RECEIVERS))
    def deliver_in_vain_then_again(self, picked: list[tuple[int, int, bool]], receiver: str) -> None:
        alerts = [made(*each) for each in picked]
        before = self.bench.incidents()
        self.store.breaks = True
        with pytest.raises(Transient):
            self.bench.receive(*alerts, receiver=receiver)
        assert self.bench.incidents() == before
        self.bench.receive(*alerts, receiver=receiver)
        self._expect(alerts, receiver)

    @rule(minutes=st.integers(1, 3))
    def wait(self, minutes: int) -> None:
        self.bench.now += minutes * MINUTE
        quiet = QuietDaemon(self.store, lambda: DECLARED, read_time=lambda transaction, now: self.bench.now)
        before = {each.id: each for each in self.bench.incidents()}
        over = quiet.run_once(self.bench.now).incidents
        for each in self.expected:
            since = before[each.id].quiet_since
            is_due = since is not None and self.bench.now - since >= 2 * MINUTE and each.is_open
            assert (each.id in over) == is_due
            each.is_open = each.is_open and not is_due

    @precondition(lambda self: any(each.is_open for each in self.expected))
    @rule(data=st.data(), how=st.sampled_from(["acknowledge", "resolve", "lower"]))
    def act(self, data: st.DataObject, how: str) -> None:
        chosen = data.draw(st.sampled_from([each for each in self.expected if each.is_open]))
        desk, now = self.bench.desk, self.bench.now
        if how == "acknowledge":
            desk.acknowledge(chosen.id, by="ann", via="cli", now=now)
        elif how == "lower":
            desk.set_priority(chosen.id, priority=Priority.P4, by="ann", why="", now=now)
        else:
            desk.resolve(chosen.id, by="ann", via="cli", why="", now=now)
            chosen.is_open = False

    @rule()
    def tell(self) -> None:
        """Whoever delivers reads the incident as it is then."""
        for due in self.bench.due():
            incident = str(due.message.payload["incident"])
            self.told[incident, due.message.channel] = self.bench.incident(incident).version
        for each in self.bench.incidents():
            for name in each.receivers:
                receiver = DECLARED.receiver(name)
                assert receiver is not None
                for channel in receiver.channels:
                    if each.priority in channel.priorities:
                        assert self.told[each.id, channel.name] == each.version, (each, channel)

    @invariant()
    def every_alert_is_in_one_incident_and_every_incident_is_as_expected(self) -> None:
        found = {each.id: each for each in self.bench.incidents()}
        assert set(found) == {each.id for each in self.expected}
        for each in self.expected:
            incident = found[each.id]
            assert self._members(incident) == each.members
            assert incident.is_open == each.is_open
            if each.is_open:
                assert (incident.quiet_since is None) == any(each.members.values())

    @invariant()
    def one_incident_of_a_group_is_open_and_repeats_the_last_one(self) -> None:
        by_group: dict[tuple[str, ...], list[Expected]] = {}
        for each in self.expected:
            by_group.setdefault(each.group, []).append(each)
        for same in by_group.values():
            assert sum(each.is_open for each in same) <= 1
            found = [self.bench.incident(each.id) for each in same]
            assert [each.repeats for each in found] == ["", *(each.id for each in found[:-1])]
            assert len({each.key for each in found}) == 1

    @invariant()
    def nobody_is_escalated_to_about_what_somebody_has(self) -> None:
        far = self.bench.now + timedelta(days=1)
        due = self.bench.read(lambda transaction: transaction.incidents.due_steps(far))
        states = {each.id: each for each in self.bench.incidents()}
        assert all(states[step.incident].state is IncidentState.OPEN for step in due)
        waiting = {step.incident for step in due}
        assert waiting == {each.id for each in states.values() if each.policy and each.state is IncidentState.OPEN}

    def _members(self, incident: Incident) -> dict[_Key, bool]:
        found = self.bench.read(lambda transaction: transaction.incidents.alerts_of(incident.id))
        return {(one.fingerprint, one.starts_at): one.ended_at is None for one, _ in found}

    def _expect(self, alerts: list[Alert], receiver: str) -> None:
        """One delivery: what fires joins or opens, what ended ends; what ended before we heard of it joins at most."""
        fired = [each for each in alerts if each.status is AlertStatus.FIRING]
        over = [each for each in alerts if each.status is AlertStatus.RESOLVED]
        news = [each for each in fired if self.known.setdefault(each.key, True)]  # an end is never taken back
        changed = [each for each in over if self.known.get(each.key, True)]
        members = {key for each in self.expected for key in each.members}
        for each in news:
            if each.key not in members:
                self._incident(group_of(each, receiver), can_open=True, alert=each)
        for each in changed:
            self.known[each.key] = False
            if each.key not in {key for one in self.expected for key in one.members}:
                self._incident(group_of(each, receiver), can_open=False, alert=each)
        for each in changed:
            for one in self.expected:
                if each.key in one.members:
                    one.members[each.key] = False
        self._name()

    def _incident(self, group: tuple[str, ...], *, can_open: bool, alert: Alert) -> None:
        going_on = next((each for each in self.expected if each.group == group and each.is_open), None)
        if going_on is None and can_open:
            going_on = Expected(group)
            self.expected.append(going_on)
        if going_on is not None:
            going_on.members[alert.key] = True

    def _name(self) -> None:
        """New ones get the ids that the store gave them: that of the incident that has their first alert."""
        for each in self.expected:
            if not each.id:
                key = min(each.members, key=lambda one: (one[1], one[0]))
                found = self.bench.read(lambda transaction, key=key: transaction.incidents.incident_of(*key))
                assert found is not None
                each.id = found


def test_alerts_become_incidents_as_expected_in_whatever_order(empty_database: Path) -> None:
    machine = type("Here", (Incidents,), {"empty": empty_database})
    run_state_machine_as_test(machine, settings=settings(max_examples=5, stateful_step_count=12, phases=QUICK))


@pytest.mark.soak
def test_alerts_become_incidents_as_expected_for_long(empty_database: Path) -> None:
    machine = type("Here", (Incidents,), {"empty": empty_database})
    run_state_machine_as_test(machine, settings=settings(max_examples=100, stateful_step_count=30, phases=QUICK))
