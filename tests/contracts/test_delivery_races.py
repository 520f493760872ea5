"""Several senders, readers and daemons at once: order, gaps, days that became stale meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane.model.delivery import Sheet, SheetKey
from controlplane.store import SqlStore, open_store
from tests.contracts.delivering import NOON, happened

KEY = SheetKey("shop", "production", NOON.date())


def test_an_event_that_commits_late_is_not_passed_over(store: SqlStore, other: SqlStore) -> None:
    taken = threading.Event()

    def take_second() -> None:
        with other.transaction() as transaction:
            transaction.delivery.take([happened("second")], NOON)
        taken.set()

    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as slow:
            slow.delivery.take([happened("first")], NOON)  # numbered, not yet committed
            second = pool.submit(take_second)
            assert not taken.wait(0.2)  # it may not overtake; if it could, it would have by now
            with other.transaction(read_only=True) as reader:
                assert reader.delivery.entities_after(0, 10) == ([], 0)
        second.result()
    with store.transaction(read_only=True) as reader:
        assert [each.event.id for each in reader.delivery.events_after(0, 10)] == ["first", "second"]


def test_senders_of_the_same_events_have_each_kept_once_and_readers_miss_none(
    store: SqlStore, migrated_url: str
) -> None:
    batches = [[happened(str(number)) for number in range(first, first + 30)] for first in range(0, 150, 15)]
    finished = threading.Event()

    def follow() -> list[str]:
        seen, last = [], 0
        reading = open_store(migrated_url)
        while True:
            nothing_will_follow = finished.is_set()
            with reading.transaction(read_only=True) as transaction:
                new = transaction.delivery.events_after(last, 20)
            seen += [each.event.id for each in new]
            last = new[-1].sequence if new else last
            if nothing_will_follow and not new:
                reading.close()
                return seen

    def send(backwards: bool) -> int:
        mine = open_store(migrated_url)
        accepted = 0
        for batch in reversed(batches) if backwards else batches:
            with mine.transaction() as transaction:
                accepted += transaction.delivery.take(batch, NOON).accepted
        mine.close()
        return accepted

    with ThreadPoolExecutor(3) as pool:
        following = pool.submit(follow)
        try:
            accepted = sum(pool.map(send, (False, True)))
        finally:
            finished.set()
        seen = following.result()
    assert accepted == 165
    assert sorted(seen, key=int) == [str(number) for number in range(165)]
    with store.transaction(read_only=True) as transaction:
        counts = transaction.delivery.event_counts()
    assert {outcome: events for (_, _, outcome), events in counts.items()} == {"accepted": 165, "duplicate": 435}


def test_a_day_that_becomes_stale_while_it_is_measured_stays_stale(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.delivery.mark_stale([KEY])

    def mark() -> None:
        with other.transaction() as transaction:
            transaction.delivery.mark_stale([KEY])
        marked.set()

    marked = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as measuring:
            assert measuring.delivery.stale(10) == [KEY]
            marking = pool.submit(mark)
            assert not marked.wait(0.2)  # until what was read is written
            measuring.delivery.put_sheets([Sheet(KEY, b"of what was there before")])
        marking.result()
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.stale(10) == [KEY]


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_no_sender_waits_while_facts_are_reckoned(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as reckoning:
        reckoning.delivery.put_progress("facts", {"sequence": 1})
        with other.transaction() as sending:
            assert sending.delivery.take([happened("1")], NOON).accepted == 1
