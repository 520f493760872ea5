"""Our own incidents as delivery events, from the desk to the fact."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents.desk import Desk
from alerts.model import AlertsDeclared
from controlplane.model.delivery import DeliveryIncident, EventQuery, StoredDeliveryEvent
from controlplane.model.event import Event
from controlplane.model.incident import Incident, Origin, Priority
from controlplane.store import SqlStore, migrate, open_store
from exporters.dora.facts.incidents import incident_of
from exporters.dora.facts.statements import statements
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events import own_incidents
from exporters.events.own_incidents import OwnIncidentsDaemon, ToldIncidents
from tests.exporters.events.translating.payloads import NOW

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with our tables: to be copied, which costs less than migrating."""
    file = tmp_path_factory.mktemp("empty") / "empty.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def store(empty_file: Path, tmp_path: Path) -> Iterator[SqlStore]:
    """SQLite, migrated."""
    shutil.copyfile(empty_file, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    """A store of either kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("store")
        return
    url = str(request.getfixturevalue("postgresql_url"))
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


class World:
    """A desk and the daemon over one store."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.now = NOW
        self.ids = (f"i{n}" for n in range(100))
        self.desk = Desk(
            store, lambda: AlertsDeclared(), lambda: next(self.ids), read_time=lambda transaction, now: self.now
        )
        self.daemon = OwnIncidentsDaemon(store, lambda name: f"https://flyball.example/incidents/{name}")

    def declare(self, priority: Priority = Priority.P1, origin: Origin = Origin.DECLARED) -> Incident:
        return self.desk.declare(
            "Checkout refuses cards", priority=priority, service="checkout", summary="", receivers=[], policy="",
            by="ann", now=self.now, origin=origin,
        ).incident  # fmt: skip

    def resolve(self, incident: Incident) -> None:
        self.desk.resolve(incident.id, by="ann", via="cli", why="", now=self.now)

    def rank(self, incident: Incident, priority: Priority) -> None:
        self.desk.set_priority(incident.id, priority=priority, by="ann", why="", now=self.now)

    def tell(self) -> ToldIncidents:
        return self.daemon.run_once(self.now)

    def events(self) -> list[StoredDeliveryEvent]:
        """Oldest first."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.delivery.find_events(EventQuery(sender=own_incidents.SENDER))[::-1]

    def fact(self) -> DeliveryIncident:
        events = [stored.event for stored in self.events()]
        entity = events[0].entity
        found = incident_of(entity.partition(":")[2], statements(events), DeliveryPolicy())
        assert found is not None
        return found


@pytest.fixture
def world(store: SqlStore) -> World:
    return World(store)


def own(stored: StoredDeliveryEvent) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored.event.body)["data"]["customData"]["flyball"]
    return found


def test_an_incident_is_told_once_when_it_opens_when_it_is_ranked_and_when_it_is_over(either: SqlStore) -> None:
    world = World(either)
    incident = world.declare(Priority.P3)
    assert [world.tell(), world.tell()] == [ToldIncidents(1), ToldIncidents(0)]
    world.now += HOUR
    world.rank(incident, Priority.P0)
    assert [world.tell(), world.tell()] == [ToldIncidents(1), ToldIncidents(0)]
    world.now += HOUR
    world.resolve(incident)
    assert [world.tell(), world.tell()] == [ToldIncidents(1), ToldIncidents(0)]
    assert [stored.event.type.split(".")[3] for stored in world.events()] == ["detected", "detected", "resolved"]
    assert [own(stored)["priority"] for stored in world.events()] == ["P3", "P0", "P0"]
    with either.transaction(read_only=True) as transaction:
        outcomes = {outcome for _, _, outcome in transaction.delivery.event_counts()}
    assert outcomes == {"accepted"}  # nothing is told again to find out that it is known
    assert world.events()[0].event.entity == f"incident:/flyball/incidents#{incident.id}"
    assert world.fact() == DeliveryIncident(
        f"/flyball/incidents#{incident.id}", "checkout", "production", NOW, NOW + 2 * HOUR, name="INC-1",
        title="Checkout refuses cards", priority="P0", url="https://flyball.example/incidents/INC-1",
    )  # fmt: skip


def test_a_priority_that_changed_before_anybody_looked_is_the_last_word(world: World) -> None:
    incident = world.declare(Priority.P3)
    world.now += HOUR
    world.rank(incident, Priority.P1)
    assert world.tell() == ToldIncidents(2)
    assert world.fact().priority == "P1"
    world.now += HOUR
    world.rank(incident, Priority.P4)
    world.resolve(incident)
    assert world.tell() == ToldIncidents(1)
    assert (world.fact().priority, world.fact().is_counted) == ("P4", False)


def test_a_drill_is_told_and_does_not_count(world: World) -> None:
    world.declare(origin=Origin.DRILL)
    world.tell()
    assert world.fact().is_counted is False


def test_a_long_log_is_read_in_steps_and_what_nobody_can_read_holds_up_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_incidents, "BATCH", 2)
    incidents = [world.declare() for _ in range(4)]
    strange = Event("incident.opened:x:1", "incident.opened", "x" * 300, NOW, {"title": 7, "started_at": "soon"})
    with world.store.transaction() as transaction:
        transaction.events.append_all([strange], NOW)
    for incident in incidents:
        world.resolve(incident)
    assert world.tell() == ToldIncidents(8, faulty=1)
    assert world.tell() == ToldIncidents(0)


def test_a_clock_that_runs_behind_the_databases_loses_nothing(world: World) -> None:
    world.now += timedelta(days=1)
    world.declare()
    assert world.daemon.run_once(NOW) == ToldIncidents(1)


def test_two_replicas_tell_it_once(world: World) -> None:
    other = OwnIncidentsDaemon(world.store)
    incident = world.declare()
    assert (world.tell(), other.run_once(NOW)) == (ToldIncidents(1), ToldIncidents(0))
    world.resolve(incident)
    assert (other.run_once(NOW), world.tell()) == (ToldIncidents(1), ToldIncidents(0))


def test_labels_tell_the_environment(world: World) -> None:
    incident = world.declare()
    with world.store.transaction() as transaction:
        kept = transaction.incidents.incident(incident.id)
        assert kept is not None
        transaction.incidents.put(replace(kept, labels={"environment": "staging", "drill": "true"}))
    world.tell()
    assert (world.fact().environment, world.fact().is_counted) == ("staging", False)
