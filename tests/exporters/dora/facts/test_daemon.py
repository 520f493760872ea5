"""Facts of events in a database: any order, any batches, and what happens when something fails in between."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.conventions import EVENT_DEPLOYED
from controlplane.model.delivery import Change, DeliveryEvent, Sheet, SheetKey
from controlplane.model.event import Event
from controlplane.ports import HeldLease, LeaseLost, Transaction, Transient
from controlplane.store import SqlStore
from exporters.dora.facts import daemon as daemons
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.facts.folding import Fact, fold
from exporters.dora.facts.progress import done_up_to, events_behind
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, HASH, SHOP, change, deployed, event, incident, packaged

NOW = AT + timedelta(hours=2)
POLICY = DeliveryPolicy()
TODAY = date(2026, 11, 30)
examples = count()


def take(store: SqlStore, *events: DeliveryEvent) -> None:
    with store.transaction() as transaction:
        transaction.delivery.take(events, NOW)


def daemon(store: object, policy: DeliveryPolicy = POLICY, *, batch: int = 5000) -> FactsDaemon:
    return FactsDaemon(store, lambda: policy, batch=batch)  # type: ignore[arg-type]


def facts(store: SqlStore, entities: Sequence[str]) -> dict[str, Fact]:
    with store.transaction(read_only=True) as transaction:
        return daemons.known_facts(transaction.delivery, entities)


def stale(store: SqlStore) -> list[SheetKey]:
    with store.transaction(read_only=True) as transaction:
        return transaction.delivery.stale(1000)


def told(store: SqlStore) -> list[Event]:
    with store.transaction(read_only=True) as transaction:
        return [each.event for each in transaction.events.after(0, 100, [EVENT_DEPLOYED])]


def of_all_kinds(at: float = 0) -> list[DeliveryEvent]:
    image = f"pkg:oci/shop@{at:g}"
    return [
        change("7", "created", at - 50),
        change("7", minutes=at - 40, revision=HASH),
        packaged(image, change_id="7"),
        deployed("d1", minutes=at - 9, artifact=image, version="1"),
        incident("i1", minutes=at - 5),
        incident("i1", "resolved", at),
    ]


def test_facts_are_written_and_their_days_marked(store: SqlStore) -> None:
    events = of_all_kinds()
    take(store, *events, event("", "detected"))
    turn = daemon(store).run_once(NOW)
    found = facts(store, [each.entity for each in events])
    assert {
        entity: fold(entity, [each for each in events if each.entity == entity], POLICY) for entity in found
    } == found
    assert len(found) == 4
    assert SheetKey("checkout", "production", TODAY) in stale(store)
    assert (turn.batches, turn.facts_changed, turn.deployments_told, turn.behind) == (1, 4, 1, 0)
    assert daemon(store).run_once(NOW) == daemons.Turn()


@given(data=st.data())
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_in_any_batches_gives_the_same_facts(store: SqlStore, data: st.DataObject) -> None:
    name = f"x{next(examples)}"
    repository = f"github.com/acme/{name}"
    events = [
        deployed(f"{name}d1", minutes=0, version="1", service=name),
        deployed(f"{name}d1", minutes=3, outcome="failed", service=name),
        deployed(f"{name}d2", "rolledback", 9, undoes="1", service=name),
        deployed(f"{name}d3", "removed", 20, service=name),
        change("7", "created", -90, repository=repository),
        change("7", "merged", -30, repository=repository, revision=HASH),
        change("8", "merged", -20, repository=repository),
        packaged(f"pkg:oci/{name}@1", change_id="7"),
        incident(f"{name}i1", minutes=4, service=name),
        incident(f"{name}i1", "resolved", 9),
        incident(f"{name}i1", minutes=30),
    ]
    order = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=3)))
    folding = daemon(store, batch=data.draw(st.integers(1, 5)))
    for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
        take(store, *order[start:end])
        folding.run_once(NOW, batches=data.draw(st.integers(0, 3)))
    folding.run_once(NOW, batches=50)
    entities = {each.entity for each in events}
    folded = {entity: fold(entity, [each for each in events if each.entity == entity], POLICY) for entity in entities}
    assert facts(store, sorted(entities)) == {entity: fact for entity, fact in folded.items() if fact is not None}


class Broken:
    """A store whose writing transactions fail from the n-th on, when all is written and nothing is committed."""

    def __init__(self, store: SqlStore, after: int) -> None:
        self._store = store
        self._left = after

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        with self._store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction
            self._left -= not read_only
            if self._left < 0:
                raise Transient("the database went away")


def test_what_fails_between_two_batches_has_written_whole_batches(store: SqlStore) -> None:
    events = of_all_kinds()
    take(store, *events)
    with pytest.raises(Transient):
        daemon(Broken(store, 2), batch=2).run_once(NOW)
    entities = [each.entity for each in events]
    first, second = events[:4], events[4:]
    found = facts(store, entities)
    assert set(found) == {each.entity for each in first}
    with store.transaction(read_only=True) as transaction:
        assert events_behind(transaction.delivery) == len(second)
    daemon(store, batch=2).run_once(NOW)
    assert set(facts(store, entities)) == set(entities)
    assert len(told(store)) == 1


def test_who_has_lost_the_lease_writes_nothing(store: SqlStore) -> None:
    take(store, *of_all_kinds())
    with pytest.raises(LeaseLost):
        daemon(store).run_once(NOW, HeldLease("leader", "nobody", 7))
    assert not stale(store)


class Overtaken:
    """A store in which another daemon is faster: it works between our reading and our writing."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        if not read_only:
            daemon(self._store).run_once(NOW, lease)
        with self._store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction


def test_two_daemons_do_no_batch_twice(store: SqlStore) -> None:
    take(store, *of_all_kinds())
    turn = daemon(Overtaken(store)).run_once(NOW)
    assert turn.was_overtaken
    assert turn.facts_changed == 0
    assert len(facts(store, [each.entity for each in of_all_kinds()])) == 4


def test_another_policy_folds_all_again_behind_what_is_new(store: SqlStore) -> None:
    take(store, deployed("d1", service="shop"), deployed("d2", service="shop", minutes=5))
    daemon(store).run_once(NOW)
    take(store, deployed("d3", service="shop", minutes=9))
    other = daemon(store, DeliveryPolicy(services={"shop": "checkout"}), batch=1)
    ids = ["deployment:/ci#d1", "deployment:/ci#d2", "deployment:/ci#d3"]

    def services() -> list[object]:
        return [getattr(fact, "service", None) for fact in (facts(store, ids).get(id_) for id_ in ids)]

    turn = other.run_once(NOW, batches=1)
    assert (services(), turn.is_folding_again) == (["shop", "shop", "checkout"], True)
    assert other.run_once(NOW, batches=1).is_folding_again
    assert services() == ["checkout", "shop", "checkout"]
    turn = other.run_once(NOW)
    assert (services(), turn.is_folding_again) == (["checkout"] * 3, False)
    assert other.run_once(NOW) == daemons.Turn()
    assert {key.service for key in stale(store)} == {"shop", "checkout"}
    assert len(told(store)) == 3


def test_facts_that_no_event_supports_are_dropped_only_when_all_is_folded_again(store: SqlStore) -> None:
    take(store, change("7", "created"))
    with store.transaction() as transaction:
        transaction.delivery.put_changes([Change(f"{SHOP}#7", SHOP, AT)])
    daemon(store).run_once(NOW)
    assert len(facts(store, [f"change:{SHOP}#7"])) == 1
    daemon(store, DeliveryPolicy(hotfix_labels=())).run_once(NOW)
    assert facts(store, [f"change:{SHOP}#7"]) == {}


def test_a_policy_that_changes_no_fact_marks_no_day(store: SqlStore) -> None:
    take(store, *of_all_kinds())
    daemon(store).run_once(NOW)
    turn = daemon(store, DeliveryPolicy(hotfix_labels=())).run_once(NOW)
    assert (turn.batches, turn.facts_changed, turn.days_marked, turn.is_folding_again) == (1, 0, 0, False)


def test_time_that_is_up_ends_a_turn_between_two_batches(store: SqlStore) -> None:
    take(store, *of_all_kinds())
    turn = daemon(store, batch=1).run_once(NOW, is_time_up=lambda: True)
    assert (turn.batches, turn.behind) == (1, 5)


def test_deployments_to_production_are_news_once_and_tell_what_ran_before(store: SqlStore) -> None:
    days = 24 * 60
    take(
        store,
        deployed("old", minutes=-3 * days, version="1"),
        deployed("bad", minutes=-20, version="2", outcome="failed"),
        deployed("new", minutes=-10, version="3", url="https://ci/3", revision=HASH),
        deployed("back", "rolledback", -5, version="1"),
        deployed("test", environment="staging"),
        deployed("gone", "removed"),
    )
    daemon(store).run_once(NOW)
    take(store, deployed("new", minutes=-9, run="r1"))
    daemon(store).run_once(NOW)
    found = sorted(told(store), key=lambda each: each.occurred_at)
    assert [(each.subject, each.data.get("version"), each.data.get("from")) for each in found] == [
        ("checkout", "2", "1"), ("checkout", "3", "1"), ("checkout", "1", "3"),
    ]  # fmt: skip
    assert found[1].data == {
        "service": "checkout", "environment": "production", "version": "3", "from": "1", "revision": HASH,
        "deployment": "/ci#new", "kind": "deployed", "outcome": "succeeded", "url": "https://ci/3",
    }  # fmt: skip


def behind(store: SqlStore) -> tuple[int, int]:
    with store.transaction(read_only=True) as transaction:
        return events_behind(transaction.delivery), done_up_to(transaction.delivery)


def test_events_that_wait_are_counted_and_those_that_are_done_may_be_forgotten(store: SqlStore) -> None:
    take(store, *of_all_kinds())
    assert behind(store) == (6, 0)
    daemon(store).run_once(NOW)
    assert behind(store) == (0, 6)
    daemon(store, DeliveryPolicy(hotfix_labels=()), batch=2).run_once(NOW, batches=1)
    assert behind(store) == (0, 2)
    daemon(store, DeliveryPolicy(hotfix_labels=())).run_once(NOW)
    assert behind(store) == (0, 6)


def test_the_day_on_which_a_deployment_was_thought_to_be_is_marked_too(store: SqlStore) -> None:
    take(store, deployed("d1"))
    daemon(store).run_once(NOW)
    with store.transaction() as transaction:
        transaction.delivery.put_sheets([Sheet(key, b"") for key in transaction.delivery.stale(1000)])
    take(store, deployed("d1", minutes=-4 * 24 * 60, version="earlier"))
    daemon(store).run_once(NOW)
    assert {date(2026, 11, 26), TODAY} <= {key.day for key in stale(store)}
