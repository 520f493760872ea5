"""Messages that only say that there is news, how urgent they are, and what waits too long; on both databases."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import text

from controlplane.model.outbox import Channels, DueMessage
from controlplane.ports import Outbox, Permanent, Transient
from controlplane.store import SqlStore, migrate, open_store
from tests.contracts.storing import MINUTE, NOW, SECOND, message

_SINCE = (
    "anomaly_feedback", "anomaly_episodes", "anomaly_models",
    *(f"delivery_{name}" for name in (
        "effects", "counters", "sheets", "stale_days", "corrections", "services", "incidents", "artifacts", "changes",
        "deployed_changes", "deployed_artifacts", "deployments", "progress", "event_counts", "events",
    )),
    "access_tokens", "runbook_runs", "tickets", "incident_actions", "alert_receipts", "delivery_attempts",
    "outside_objects", "event_cursors", "escalation_steps", "incident_timeline", "incident_alerts", "incidents",
)  # fmt: skip
T = TypeVar("T")
KEYS = 3
NEWS = 15  # of each key, by each writer


def ids(found: list[DueMessage]) -> list[str]:
    return [each.message.id for each in found]


def overdue(outbox: Outbox, urgency: int = 4) -> list[str]:
    return ids(outbox.overdue(NOW + MINUTE, urgency))


def test_news_is_queued_where_none_waits(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        assert (
            outbox.enqueue_current([message("a1"), message("a2"), message("b1", "b"), message("c1", "k", "x")], NOW)
            == 3
        )
        assert outbox.enqueue_current([message("a3"), message("b2", "b"), message("d1", "d")], NOW) == 1
        assert outbox.enqueue_current([], NOW) == 0
        assert overdue(outbox) == ["a1", "b1", "c1", "d1"]
        assert ids(outbox.claim(1, NOW)) == ["a1"]
        assert outbox.enqueue_current([message("a4")], NOW) == 1  # a1 may have read what was true before
        assert outbox.enqueue_current([message("a5")], NOW) == 0
        assert ids(outbox.claim(9, NOW)) == ["b1", "c1", "d1"]
        outbox.delivered("a1", NOW)
        assert ids(outbox.claim(9, NOW)) == ["a4"]


def test_news_waits_behind_a_failed_message_and_is_not_queued_again(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue_current([message("a1")], NOW)
        outbox.claim(1, NOW)
        outbox.failed("a1", "503", NOW + MINUTE, NOW)
        assert outbox.enqueue_current([message("a2")], NOW) == 0
        outbox.claim(1, NOW + MINUTE)
        outbox.postponed("a1", NOW + 2 * MINUTE, NOW + MINUTE)
        assert outbox.enqueue_current([message("a3")], NOW) == 0
        outbox.claim(1, NOW + 2 * MINUTE)
        outbox.failed("a1", "gone", None, NOW)  # a dead letter tells nothing any more
        assert outbox.enqueue_current([message("a4")], NOW) == 1


def test_a_claim_that_ran_out_may_still_be_at_work_with_what_was_true_before(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue_current([message("a1")], NOW)
        for start in (NOW, NOW + MINUTE):  # the first one stalls, and another one takes over and fails
            assert ids(outbox.claim(1, start, MINUTE)) == ["a1"]
        outbox.failed("a1", "503", NOW + MINUTE, NOW + MINUTE)
        assert outbox.enqueue_current([message("a2")], NOW + MINUTE) == 1
        outbox.delivered("a1", NOW + MINUTE)  # says the first one, late
        assert ids(outbox.claim(9, NOW + MINUTE)) == ["a2"]


def test_the_most_urgent_leaves_first_and_what_stands_before_it_makes_way(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue_all([message("x1", "x", urgency=3), message("y1", "y", urgency=2), message("z1", "z")], NOW)
        outbox.enqueue_all([message("x2", "x"), message("x3", "x", urgency=1), message("x4", "x")], NOW)
        assert outbox.enqueue_current([message("z2", "z", urgency=1), message("z3", "z", urgency=0)], NOW) == 0
        claimed = outbox.claim(9, NOW)
        assert [(each.message.id, each.message.urgency) for each in claimed] == [("z1", 0), ("x1", 1), ("y1", 2)]
        outbox.delivered("x1", NOW)
        outbox.enqueue(message("y2", "y", urgency=0), NOW)  # what is being delivered becomes urgent as well
        assert [(each.message.id, each.message.urgency) for each in outbox.overdue(NOW + MINUTE, 1)] == [
            ("y1", 0), ("z1", 0), ("x2", 1), ("x3", 1), ("y2", 0),
        ]  # fmt: skip


def test_claiming_only_what_is_urgent_leaves_the_rest(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue_all([message(f"m{urgency}", f"k{urgency}", urgency=urgency) for urgency in (4, 3, 2, 1, 0)], NOW)
        assert ids(outbox.claim(9, NOW, urgency=1)) == ["m0", "m1"]
        assert ids(outbox.claim(9, NOW, channels=Channels(frozenset({"other"}), False))) == []
        assert ids(outbox.claim(2, NOW)) == ["m2", "m3"]


def test_what_was_postponed_was_not_tried(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        outbox.enqueue(message("a1"), NOW)
        outbox.claim(1, NOW)
        outbox.postponed("a1", NOW + SECOND, NOW)
        assert outbox.claim(1, NOW) == []
        assert [each.attempts for each in outbox.claim(1, NOW + SECOND)] == [0]
        outbox.delivered("a1", NOW + SECOND)
        outbox.postponed("a1", NOW, NOW)  # says one that stalled
        assert outbox.claim(1, NOW + MINUTE) == []
        with pytest.raises(Permanent, match="no message"):
            outbox.postponed("a2", NOW, NOW)


def test_what_waits_too_long_is_found_claimed_or_not_and_dead_for_a_day(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        for name in ("waits", "claimed", "dead", "dead long", "arrived"):
            outbox.enqueue(message(name, name, urgency=1), NOW)
        outbox.enqueue(message("idle", "idle", urgency=2), NOW)
        outbox.enqueue(message("later", "later", urgency=0), NOW + MINUTE)
        outbox.failed("dead", "400", None, NOW + MINUTE - timedelta(days=1))
        outbox.failed("dead long", "400", None, NOW - timedelta(days=1))
        outbox.delivered("arrived", NOW)
        outbox.claim(1, NOW, channels=Channels(frozenset({"console"}), False))
        assert overdue(outbox, 1) == ["waits", "claimed", "dead"]
        assert overdue(outbox, 2)[-1] == "idle"
        assert ids(outbox.overdue(NOW + MINUTE, 1, 2)) == ["waits", "claimed"]
        assert outbox.overdue(NOW, 4) == []


def test_since_when_channels_wait_is_known(store: SqlStore) -> None:
    with store.transaction() as transaction:
        outbox = transaction.outbox
        assert outbox.oldest() == {}
        outbox.enqueue(message("a1"), NOW)
        outbox.enqueue(message("a2", "b"), NOW + SECOND)
        outbox.enqueue(message("c1", "k", "x"), NOW + MINUTE)
        first = message("a1").channel
        assert outbox.oldest() == {first: NOW, "x": NOW + MINUTE}
        outbox.claim(1, NOW)
        assert outbox.oldest()[first] == NOW
        outbox.delivered("a1", NOW)
        outbox.failed("c1", "no", None, NOW)
        assert outbox.oldest() == {first: NOW + SECOND}


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_a_claim_passes_over_a_message_that_becomes_news_of_more(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.outbox.enqueue_current([message("a1")], NOW)
    with store.transaction() as writer:
        assert writer.outbox.enqueue_current([message("a2")], NOW) == 0
        with other.transaction() as deliverer:
            assert deliverer.outbox.claim(1, NOW) == []  # it would not see what the writer writes
    with other.transaction() as deliverer:
        assert ids(deliverer.outbox.claim(1, NOW)) == ["a1"]


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_news_of_what_is_being_claimed_is_queued_without_waiting(store: SqlStore, other: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.outbox.enqueue_current([message("a1")], NOW)
    with store.transaction() as deliverer:
        assert ids(deliverer.outbox.claim(1, NOW)) == ["a1"]
        with other.transaction() as writer:
            assert writer.outbox.enqueue_current([message("a2", urgency=0)], NOW) == 1
    with store.transaction() as transaction:
        assert overdue(transaction.outbox) == ["a1", "a2"]


class _Newsroom:
    """Writers make news of keys, deliverers tell them as they find them, and fail now and then."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.told: dict[str, int] = {}
        self.most_waiting = 0
        self.nothing_will_follow = threading.Event()

    def write(self, _number: int) -> None:
        mine = open_store(self.url)
        for key in [str(number) for _ in range(NEWS) for number in range(KEYS)]:
            _again(lambda key=key: self._make_news(mine, key))  # type: ignore[misc]
        mine.close()

    def deliver(self, seed: int) -> None:
        mine, chance = open_store(self.url), random.Random(seed)
        is_last = False
        while not is_last:
            nothing_will_follow = self.nothing_will_follow.is_set()
            due = _again(lambda: self._claim(mine, 1 + chance.randrange(KEYS)))
            for each in due:
                fails = chance.random() < 0.3
                _again(lambda each=each, fails=fails: self._tell(mine, each, fails=fails))  # type: ignore[misc]
            is_last = nothing_will_follow and not due
        mine.close()

    def _make_news(self, mine: SqlStore, key: str) -> None:
        with mine.transaction() as transaction:
            transaction.incidents.lock()
            version = transaction.incidents.cursor(key) + 1
            transaction.incidents.put_cursor(key, version)
            transaction.outbox.enqueue_current([message(f"{key}:{version}", key)], NOW)

    def _claim(self, mine: SqlStore, limit: int) -> list[DueMessage]:
        with mine.transaction() as transaction:
            return transaction.outbox.claim(limit, NOW)

    def _tell(self, mine: SqlStore, due: DueMessage, *, fails: bool) -> None:
        key = due.message.key
        with mine.transaction(read_only=True) as transaction:
            version = transaction.incidents.cursor(key)
            waiting = [each.message.key for each in transaction.outbox.overdue(NOW + MINUTE, 4)]
        self.most_waiting = max(self.most_waiting, waiting.count(key))
        with mine.transaction() as transaction:
            if fails:
                transaction.outbox.failed(due.message.id, "503", NOW, NOW)
            else:
                transaction.outbox.delivered(due.message.id, NOW)
        if not fails:
            self.told[key] = max(version, self.told.get(key, 0))


def _again(work: Callable[[], T]) -> T:
    """Until it is done: on a busy machine SQLite's writers may wait for longer than it lets them."""
    while True:
        with suppress(Transient):
            return work()


def test_the_last_news_is_told_whoever_writes_and_delivers_at_once(migrated_url: str, store: SqlStore) -> None:
    room = _Newsroom(migrated_url)
    with ThreadPoolExecutor(4) as pool:
        deliverers = [pool.submit(room.deliver, seed) for seed in range(2)]
        for writer in [pool.submit(room.write, number) for number in range(2)]:
            writer.result()
        room.nothing_will_follow.set()
        for deliverer in deliverers:
            deliverer.result()
    with store.transaction() as transaction:
        assert transaction.outbox.backlog() == 0
        written = {str(number): transaction.incidents.cursor(str(number)) for number in range(KEYS)}
    assert room.told == written
    assert min(written.values()) >= 2 * NEWS
    assert room.most_waiting <= 2


def test_messages_that_waited_before_there_was_urgency_still_leave(database_url: str) -> None:
    migrate(database_url)
    store = open_store(database_url)
    with store.transaction() as transaction:
        transaction.outbox.enqueue_all([message("claimed", "a"), message("waits", "b")], NOW)
        transaction.outbox.claim(1, NOW)
    with store._engine.connect() as connection:  # as revision 5 had it
        for table in _SINCE:
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("DROP INDEX ix_outbox_state_channel_urgency_sequence"))
        for column in ("urgency", "open_claims"):
            connection.execute(text(f"ALTER TABLE outbox DROP COLUMN {column}"))
        connection.execute(text("UPDATE schema_revision SET version_num = '0005'"))
        connection.commit()
    migrate(database_url)
    with store.transaction() as transaction:
        assert transaction.outbox.enqueue_current([message("a2", "a"), message("b2", "b")], NOW) == 1
        assert ids(transaction.outbox.claim(9, NOW)) == ["waits"]
        assert ids(transaction.outbox.claim(9, NOW + MINUTE)) == ["claimed", "waits"]
    store.close()
