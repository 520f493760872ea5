"""The store of delivery events, on both databases."""

from datetime import timedelta

import pytest

from controlplane.model.delivery import DeliveryEvent, EventQuery, EventReceipt
from controlplane.store import SqlStore
from tests.contracts.delivering import NOON, happened


def take(store: SqlStore, *events: DeliveryEvent) -> EventReceipt:
    with store.transaction() as transaction:
        return transaction.delivery.take(events, NOON)


def test_an_event_is_kept_as_it_came_and_only_once(store: SqlStore) -> None:
    event = happened("1", says="é \\u0000 ☃" * 500, subject="ü", trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    assert take(store, event) == EventReceipt(1, 0, 0)
    assert take(store, event, event) == EventReceipt(0, 2, 0)
    with store.transaction(read_only=True) as transaction:
        (stored,) = transaction.delivery.events_after(0, 10)
        assert stored == transaction.delivery.event("/ci", "1")
        assert (stored.sequence, stored.received_at, stored.event) == (
            transaction.delivery.last_sequence(),
            NOON,
            event,
        )
        assert transaction.delivery.event("/ci", "2") is None


def test_of_contradicting_events_the_first_is_kept_and_the_others_are_named(store: SqlStore) -> None:
    first = take(store, happened("1", says="a"), happened("2"), happened("1", says="b"), happened("2"))
    assert first == EventReceipt(2, 1, 0, (("/ci", "1"),))
    assert take(store, happened("1", says="c"), happened("3")) == EventReceipt(1, 0, 0, (("/ci", "1"),))
    with store.transaction(read_only=True) as transaction:
        stored = transaction.delivery.event("/ci", "1")
        assert stored is not None
        assert stored.event == happened("1", says="a")


def test_the_same_id_of_another_source_is_another_event(store: SqlStore) -> None:
    assert take(store, happened("1"), happened("1", source="/cd"), happened("i1", source="/c")).accepted == 3


def test_events_are_numbered_in_the_order_in_which_they_came(store: SqlStore) -> None:
    names = [f"{number:03}" for number in range(600, 0, -1)]
    take(store, *map(happened, names))
    with store.transaction(read_only=True) as transaction:
        found = transaction.delivery.events_after(0, 1000)
        assert [each.event.id for each in found] == names
        rest = transaction.delivery.events_after(found[9].sequence, 5)
        assert [each.event.id for each in rest] == names[10:15]
        assert transaction.delivery.events_after(found[-1].sequence, 5) == []


def test_entities_come_once_each_with_the_place_to_go_on_from(store: SqlStore) -> None:
    entities = ["change:a", "change:b", "", "change:a", "artifact:c"]
    take(store, *(happened(str(number), entity=entity) for number, entity in enumerate(entities)))
    with store.transaction(read_only=True) as transaction:
        first, last = transaction.delivery.entities_after(0, 4)
        assert first == ["change:a", "change:b"]
        assert transaction.delivery.entities_after(last, 4) == (["artifact:c"], last + 1)
        assert transaction.delivery.entities_after(last + 1, 4) == ([], last + 1)


def test_all_events_about_a_thing_come_in_the_order_of_time_source_and_id(store: SqlStore) -> None:
    late, early = happened("a", after="9"), happened("z", after="1")
    other = happened("y", after="1", source="/a")
    take(store, late, happened("b", entity="change:x"), early, other, happened("c", entity=""))
    with store.transaction(read_only=True) as transaction:
        found = transaction.delivery.events_of([late.entity, "change:none"])
        assert found == {late.entity: [other, early, late], "change:none": []}


def test_every_event_is_counted_by_what_became_of_it(store: SqlStore) -> None:
    take(store, happened("1"), happened("1"), happened("2", entity="", type="com.example.any"), happened("1", says="!"))
    take(store, happened("2", entity="", type="com.example.any", sender="github"))
    with store.transaction() as transaction:
        transaction.delivery.refuse("github", 3)
        transaction.delivery.refuse("github", 1)
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.event_counts() == {
            ("cloudevents", "dev.cdevents.change.merged.0.2.0", "accepted"): 1,
            ("cloudevents", "dev.cdevents.change.merged.0.2.0", "duplicate"): 1,
            ("cloudevents", "dev.cdevents.change.merged.0.2.0", "conflict"): 1,
            ("cloudevents", "com.example.any", "unknown"): 1,
            ("github", "com.example.any", "duplicate"): 1,
            ("github", "", "refused"): 4,
        }


def test_types_beyond_two_hundred_count_together(store: SqlStore) -> None:
    take(store, *(happened(f"a{number}", type=f"t{number:03}") for number in range(150)))
    take(store, *(happened(f"b{number}", type=f"u{number:03}") for number in range(60)))
    take(store, happened("c", type="u059"), happened("d", type="u000"))
    with store.transaction(read_only=True) as transaction:
        counts = transaction.delivery.event_counts()
    assert sum(counts.values()) == 212
    assert len({type_ for _, type_, _ in counts}) == 201
    assert counts["cloudevents", "other", "accepted"] == 11
    assert counts["cloudevents", "u000", "accepted"] == 2


def test_events_are_found_newest_first_by_what_they_say(store: SqlStore) -> None:
    take(
        store,
        happened("1", type="dev.cdevents.change.merged.0.2.0", subject="7", after="10"),
        happened("2", type="dev.cdevents.Change", sender="github", after="20"),
        happened("3", type="com.example.any", entity="", source="/x", after="30"),
    )

    def found(query: EventQuery) -> str:
        with store.transaction(read_only=True) as transaction:
            return "".join(each.event.id for each in transaction.delivery.find_events(query))

    assert found(EventQuery()) == "321"
    assert found(EventQuery(limit=2)) == "32"
    assert found(EventQuery(type_prefix="dev.cdevents.change")) == "1"
    assert found(EventQuery(type_prefix="dev.cdevents.%")) == ""
    assert found(EventQuery(type_prefix="dev.", sender="github")) == "2"
    assert found(EventQuery(source="/x")) == "3"
    assert found(EventQuery(subject="7")) == "1"
    assert found(EventQuery(entity="change:git.example/shop#1")) == "21"
    assert found(EventQuery(only_unknown=True)) == "3"
    assert found(EventQuery(since=NOON + timedelta(seconds=20))) == "32"
    assert found(EventQuery(until=NOON + timedelta(seconds=20))) == "1"
    with store.transaction(read_only=True) as transaction:
        last = transaction.delivery.last_sequence()
    assert found(EventQuery(before_sequence=last)) == "21"


def test_forgotten_events_leave_their_counts_and_their_numbers(store: SqlStore) -> None:
    take(store, happened("1"), happened("2"), happened("3"))
    with store.transaction() as transaction:
        transaction.delivery.take([happened("4")], NOON + timedelta(days=1))
        last = transaction.delivery.last_sequence()
        assert transaction.delivery.forget_events(NOON, 10) == 0
        assert transaction.delivery.forget_events(NOON + timedelta(days=1), 2) == 2
        assert transaction.delivery.forget_events(NOON + timedelta(days=1), 2) == 1
        assert [each.event.id for each in transaction.delivery.events_after(0, 10)] == ["4"]
        assert transaction.delivery.forget_events(NOON + timedelta(days=2), 2) == 1
        transaction.delivery.take([happened("5")], NOON)
        assert transaction.delivery.last_sequence() == last + 1
        assert sum(transaction.delivery.event_counts().values()) == 5


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_what_one_database_cannot_keep_both_refuse(store: SqlStore, text: str) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        take(store, happened("1"), happened("2", subject=text))
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.last_sequence() == 0
