"""Days are measured when what came in together has arrived, and not much later."""

from datetime import datetime, timedelta

from controlplane.store import SqlStore
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.facts.progress import events_behind
from exporters.dora.measuring.settling import LONGEST, PAUSE, Settling
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, deployed

SECOND = timedelta(seconds=1)


def take(store: SqlStore, key: str, at: datetime) -> None:
    with store.transaction() as transaction:
        transaction.delivery.take([deployed(key)], at)


def fold(store: SqlStore, at: datetime) -> None:
    FactsDaemon(store, DeliveryPolicy).run_once(at)


def test_an_empty_store_is_settled(store: SqlStore) -> None:
    assert Settling(store, events_behind).is_settled(AT)


def test_it_waits_for_a_pause_after_the_last_event(store: SqlStore) -> None:
    settling = Settling(store, events_behind)
    take(store, "d1", AT)
    fold(store, AT)
    assert not settling.is_settled(AT + SECOND)
    take(store, "d2", AT + 5 * SECOND)
    fold(store, AT + 6 * SECOND)
    assert not settling.is_settled(AT + 5 * SECOND + PAUSE - SECOND)
    assert settling.is_settled(AT + 5 * SECOND + PAUSE)


def test_it_waits_for_facts_of_events_that_came_long_ago(store: SqlStore) -> None:
    settling = Settling(store, events_behind)
    take(store, "d1", AT - timedelta(hours=1))
    assert not settling.is_settled(AT)
    fold(store, AT)
    assert settling.is_settled(AT + SECOND)


def test_where_events_never_pause_it_is_settled_once_a_minute(store: SqlStore) -> None:
    settling = Settling(store, events_behind)
    settled = []
    for second in range(0, 180, 2):
        now = AT + second * SECOND
        take(store, f"d{second}", now)
        settled.append(settling.is_settled(now))
    assert sum(settled) == 2
    assert settled.index(True) * 2 == LONGEST / SECOND


def test_a_clock_that_went_back_does_not_stop_it(store: SqlStore) -> None:
    take(store, "d1", AT + timedelta(hours=1))
    fold(store, AT)
    assert Settling(store, events_behind).is_settled(AT)
