"""Several writers and readers at once: order, gaps, double claims, the chain."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane.store import SqlStore, open_store
from tests.contracts.storing import NOW, event, firing, message, until

WRITERS = 4
EACH = 12


def _together(work: Callable[[SqlStore, int], None], url: str, count: int = WRITERS) -> None:
    def run(number: int) -> None:
        mine = open_store(url)
        start.wait()
        try:
            work(mine, number)
        finally:
            mine.close()

    start = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        for outcome in [pool.submit(run, number) for number in range(count)]:
            outcome.result()


def test_a_reader_never_skips_an_event_that_commits_late(migrated_url: str, store: SqlStore, other: SqlStore) -> None:
    appended = threading.Event()

    def append_second() -> None:
        with other.transaction() as transaction:
            transaction.events.append(event("second"), NOW)
        appended.set()

    seen: list[str] = []
    position = 0
    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as slow:
            slow.events.append(event("first"), NOW)  # numbered, not yet committed
            second = pool.submit(append_second)
            appended.wait(0.3)  # it may not overtake; if it could, it would have by now
            with open_store(migrated_url).transaction(read_only=True) as reader:
                for recorded in reader.events.after(position, 10):
                    seen.append(recorded.event.id)
                    position = recorded.sequence
        second.result()
    with store.transaction(read_only=True) as reader:
        seen += [recorded.event.id for recorded in reader.events.after(position, 10)]
    assert seen == ["first", "second"]


def test_followers_see_every_event_once_and_in_order(migrated_url: str, store: SqlStore) -> None:
    finished = threading.Event()

    def follow() -> list[int]:
        mine, seen = open_store(migrated_url), [0]
        while True:
            nothing_will_follow = finished.is_set()
            with mine.transaction(read_only=True) as transaction:
                new = [recorded.sequence for recorded in transaction.events.after(seen[-1], 5)]
            seen += new
            if nothing_will_follow and not new:
                mine.close()
                return seen[1:]

    def write(mine: SqlStore, number: int) -> None:
        for index in range(EACH):
            with mine.transaction() as transaction:
                transaction.events.append(event(f"{number}-{index}"), NOW)
                transaction.outbox.enqueue(message(f"{number}-{index}", key=str(number)), NOW)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        _together(write, migrated_url)
        finished.set()
        seen = following.result()
    with store.transaction(read_only=True) as transaction:
        assert seen == [recorded.sequence for recorded in transaction.events.after(0, 1000)]
    assert len(seen) == WRITERS * EACH


def test_claims_of_two_replicas_are_disjoint(migrated_url: str, store: SqlStore) -> None:
    with store.transaction() as transaction:
        for number in range(60):
            transaction.outbox.enqueue(message(f"m{number}", key=f"k{number % 40}"), NOW)
    claimed: list[str] = []

    def claim(mine: SqlStore, number: int) -> None:
        while True:
            with mine.transaction() as transaction:
                due = transaction.outbox.claim(3, NOW)
            if not due:
                return
            claimed.extend(each.message.id for each in due)

    _together(claim, migrated_url, 2)
    assert sorted(claimed) == sorted(f"m{number}" for number in range(40))  # the first of each key, each once


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_a_claim_passes_over_what_another_is_claiming(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as transaction:
        for name in ("m1", "m2", "m3"):
            transaction.outbox.enqueue(message(name, key=name), NOW)
    with store.transaction() as mine, other.transaction() as theirs:
        first = mine.outbox.claim(2, NOW)
        second = theirs.outbox.claim(2, NOW)  # without waiting for the other to commit
    assert [due.message.id for due in first] == ["m1", "m2"]
    assert [due.message.id for due in second] == ["m3"]


def test_concurrent_appends_keep_one_chain(migrated_url: str, store: SqlStore) -> None:
    def append(mine: SqlStore, number: int) -> None:
        for index in range(EACH):
            with mine.transaction() as transaction:
                transaction.audit.append(at=NOW, actor=str(number), action="set", subject="tier", detail={"n": index})

    _together(append, migrated_url)
    with store.transaction(read_only=True) as transaction:
        assert transaction.audit.verify() is None
        entries = transaction.audit.entries()
    assert [entry.sequence for entry in entries] == list(range(1, WRITERS * EACH + 1))
    for number in range(WRITERS):
        assert [e.detail["n"] for e in entries if e.actor == str(number)] == list(range(EACH))


def test_one_alert_delivered_to_two_replicas_at_once_is_news_to_one(migrated_url: str, store: SqlStore) -> None:
    news: list[bool] = []

    def receive(mine: SqlStore, number: int) -> None:
        names = [f"f{index}" for index in range(6)]
        for name in names if number % 2 else reversed(names):  # in opposite orders: locks must not deadlock
            with mine.transaction() as transaction:
                news.append(transaction.alerts.record(firing(name), NOW))
        with mine.transaction() as transaction:
            for name in names if number % 2 else reversed(names):
                transaction.alerts.record(firing(name), NOW)
                transaction.events.append(event(name), NOW)
                transaction.outbox.enqueue(message(name), NOW)

    _together(receive, migrated_url)
    assert news.count(True) == 6
    with store.transaction(read_only=True) as transaction:
        assert [stored.deliveries for stored in transaction.alerts.firing()] == [2 * WRITERS] * 6
        assert transaction.outbox.backlog() == 6


def test_two_threads_may_share_a_store(store: SqlStore) -> None:
    def write(number: int) -> None:
        for index in range(EACH):
            with store.transaction() as transaction:
                transaction.events.append(event(f"{number}-{index}"), NOW)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert until(lambda: _count(store)) == WRITERS * EACH


def _count(store: SqlStore) -> int:
    with store.transaction(read_only=True) as transaction:
        return len(transaction.events.after(0, 1000))
