"""Taken once, whatever the order and however often; and what is forgotten."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from controlplane.delivery_ports import DeliveryLog
from controlplane.model.delivery import EventQuery
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from exporters.cloudevents.requests import Mode
from exporters.events.collector import EventsCollector
from exporters.events.intake import Intake, Taken
from exporters.events.reading import EventReader, Terms
from exporters.events.retention import forget
from tests.exporters.events.sent import NOW, body, sent

READER = EventReader(Terms("test"))
EVENTS = [
    sent("change.merged", 1, subject="12"),
    sent("service.deployed", 2, own={"deployment": "d1"}),
    sent("service.rolledback", 3, own={"deployment": "d1"}),
    sent("incident.detected", 4, subject="7"),
    sent("build.started", 5),
    sent("service.deployed", 6, type="com.acme.what"),
]


TURNS = count(1)


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """One for all examples: each has a source of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('events')}/state.db"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


def take(store: SqlStore, *events: object) -> Taken:
    return Intake(store, "test").take(READER.from_body(body(*events), Mode(is_batch=True), {}, NOW), NOW)


def stored(store: SqlStore) -> set[tuple[str, str, bytes]]:
    with store.transaction(read_only=True) as transaction:
        return {
            (each.event.source, each.event.id, each.event.digest)
            for each in transaction.delivery.find_events(EventQuery(limit=10_000))
        }


def test_a_batch_is_taken_whole_or_not_at_all(store: SqlStore) -> None:
    wrong = sent("service.deployed", 9)
    del wrong["data"]["subject"]["content"]["environment"]
    taken = take(store, *EVENTS, wrong)
    assert taken.is_refused
    assert stored(store) == set()
    assert take(store, *EVENTS).receipt.accepted == 6
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.event_counts()["test", "", "refused"] == 1


def test_what_contradicts_is_told_and_the_first_one_stands(store: SqlStore) -> None:
    take(store, EVENTS[0])
    before = stored(store)
    taken = take(store, sent("change.merged", 1, subject="13"), EVENTS[1])
    assert taken.receipt.conflicts == (("/ci", "e1"),)
    assert (taken.receipt.accepted, len(stored(store) - before)) == (1, 1)
    assert before <= stored(store)


@settings(max_examples=15)
@given(data=st.data())
def test_any_order_and_any_repetition_leave_the_same_events(one_store: SqlStore, data: st.DataObject) -> None:
    store, turn = one_store, next(TURNS)
    events = [json.loads(json.dumps(event).replace('"/ci"', f'"/ci/{turn}"')) for event in EVENTS]
    order = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=6))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    accepted = 0
    for first, last in zip([0, *cuts], [*cuts, len(order)], strict=True):
        accepted += take(store, *order[first:last]).receipt.accepted
    once = READER.from_body(body(*events), Mode(is_batch=True), {}, NOW).events
    kept = {each for each in stored(store) if each[0] == f"/ci/{turn}"}
    assert (accepted, kept) == (len(EVENTS), {(each.source, each.id, each.digest) for each in once})


def test_old_events_are_forgotten_but_never_those_that_are_not_read_yet(store: SqlStore) -> None:
    for day, event in enumerate(EVENTS):
        delivery = READER.from_body(body(event), Mode(is_batch=True), {}, NOW)
        Intake(store, "test").take(delivery, NOW + timedelta(days=day))

    def dropped(days: int, done: int) -> int:
        return forget(store, NOW + timedelta(days=days), kept=timedelta(days=3), done=lambda log: done)

    assert dropped(3, done=6) == 0
    assert dropped(5, done=6) == 2
    assert dropped(100, done=4) == 2  # two of the others are not read yet
    assert dropped(100, done=6) == 2
    assert stored(store) == set()


def test_metrics_tell_events_by_what_became_of_them(store: SqlStore) -> None:
    registry = CollectorRegistry()
    registry.register(EventsCollector(store, lambda log: log.last_sequence() - 2))
    take(store, *EVENTS)
    take(store, EVENTS[0])
    take(store, {})
    text = generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    for line in (
        'flyball_delivery_events_total{outcome="accepted",sender="test",type="dev.cdevents.change.merged.0.3.0"} 1.0',
        'flyball_delivery_events_total{outcome="duplicate",sender="test",type="dev.cdevents.change.merged.0.3.0"} 1.0',
        'flyball_delivery_events_total{outcome="unknown",sender="test",type="com.acme.what"} 1.0',
        'flyball_delivery_events_total{outcome="refused",sender="test",type=""} 1.0',
        "flyball_delivery_events_behind 4.0",
    ):
        assert line in text


def test_without_an_answer_of_the_store_nothing_is_said() -> None:
    class Broken:
        def transaction(self, **_: object) -> None:
            raise Transient("locked")

    def behind(log: DeliveryLog) -> int:
        return 0

    assert list(EventsCollector(Broken(), behind).collect()) == []  # type: ignore[arg-type]
