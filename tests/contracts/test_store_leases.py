"""Who may write: the lease, raced for, expired, taken over, stalled."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlalchemy import select

from controlplane.ports import HeldLease, LeaseLost, Transient
from controlplane.store import SqlStore, open_store
from controlplane.store.database_clock import database_now
from controlplane.store.database_url import parse_database_url
from controlplane.store.engines import make_engine, open_transaction
from controlplane.store.leases import take
from controlplane.store.tables import leases
from tests.contracts.storing import MINUTE, NOW, event, until

SHORT = timedelta(milliseconds=50)


def _write(store: SqlStore, lease: HeldLease, name: str) -> None:
    with store.transaction(lease=lease) as transaction:
        transaction.events.append(event(name), NOW)


def _names(store: SqlStore) -> list[str]:
    with store.transaction(read_only=True) as transaction:
        return [recorded.event.id for recorded in transaction.events.after(0, 1000)]


def _held(lease: HeldLease | None) -> HeldLease:
    assert lease is not None
    return lease


def test_who_holds_a_lease_is_told_until_it_is_over_or_given_up(store: SqlStore, other: SqlStore) -> None:
    assert other.leases.holder("main") is None
    lease = _held(store.leases.acquire("main", "a", MINUTE))
    assert (other.leases.holder("main"), other.leases.holder("other")) == ("a", None)
    store.leases.release(lease)
    assert other.leases.holder("main") is None
    store.leases.acquire("main", "b", SHORT)
    assert until(lambda: other.leases.holder("main") is None)


def test_a_lease_is_held_by_one_and_renewed_under_the_same_epoch(store: SqlStore, other: SqlStore) -> None:
    first = _held(store.leases.acquire("main", "a", MINUTE))
    assert other.leases.acquire("main", "b", MINUTE) is None
    assert store.leases.acquire("main", "a", MINUTE) == first
    assert other.leases.acquire("another", "b", MINUTE) == HeldLease("another", "b", 1)
    _write(store, first, "e")


def test_a_released_lease_goes_to_the_next_with_a_new_epoch(store: SqlStore, other: SqlStore) -> None:
    first = _held(store.leases.acquire("main", "a", MINUTE))
    store.leases.release(first)
    store.leases.release(first)
    with pytest.raises(LeaseLost):
        _write(store, first, "after release")
    second = _held(other.leases.acquire("main", "b", MINUTE))
    assert second.epoch == first.epoch + 1
    store.leases.release(first)  # a late release takes nothing from the next
    assert store.leases.acquire("main", "a", MINUTE) is None
    other.leases.release(second)
    assert _held(store.leases.acquire("main", "a", MINUTE)).epoch == second.epoch + 1


def test_a_lease_that_nobody_knows_lets_nothing_through(store: SqlStore) -> None:
    with pytest.raises(LeaseLost):
        _write(store, HeldLease("main", "a", 1), "e")
    assert _names(store) == []


def test_a_lease_that_lasts_no_time_is_a_mistake(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="longer"):
        store.leases.acquire("main", "a", timedelta(0))


def test_a_stalled_leader_writes_nothing_once_another_took_over(store: SqlStore, other: SqlStore) -> None:
    stalled = _held(store.leases.acquire("main", "a", SHORT))
    leader = until(lambda: other.leases.acquire("main", "b", MINUTE))
    assert leader.epoch == stalled.epoch + 1
    with pytest.raises(LeaseLost, match="epoch 1 of a is over"):
        _write(store, stalled, "stalled")
    assert store.leases.acquire("main", "a", MINUTE) is None
    _write(other, leader, "leader")
    assert _names(store) == ["leader"]


def test_a_lease_that_ran_out_unnoticed_still_stands(store: SqlStore, other: SqlStore) -> None:
    mine = _held(store.leases.acquire("main", "a", SHORT))
    until(lambda: _expired(other))
    _write(store, mine, "late but alone")
    assert store.leases.acquire("main", "a", MINUTE) == mine


def _expired(store: SqlStore) -> bool:
    with open_transaction(store._engine, read_only=True) as connection:
        return bool(connection.scalar(select(leases.c.expires_at)) < database_now(connection))


def test_many_who_race_for_a_lease_never_share_an_epoch(store: SqlStore, migrated_url: str) -> None:
    def contend(holder: str) -> list[tuple[int, str]]:
        mine = open_store(migrated_url)
        won = []
        start.wait()
        for _ in range(15):
            try:
                lease = mine.leases.acquire("main", holder, timedelta(milliseconds=2))
                if lease:
                    won.append((lease.epoch, holder))
                    _write(mine, lease, f"{lease.epoch}-{holder}-{len(won)}")
            except (LeaseLost, Transient):
                continue
        mine.close()
        return won

    start = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        holders = [f"replica-{number}" for number in range(4)]
        results = [pair for won in pool.map(contend, holders) for pair in won]
    owners: dict[int, set[str]] = {}
    for epoch, holder in results:
        owners.setdefault(epoch, set()).add(holder)
    assert all(len(holders) == 1 for holders in owners.values())
    assert len(owners) > 1
    epochs = [int(name.split("-")[0]) for name in _names(store)]
    assert epochs == sorted(epochs)  # no write of an older epoch after one of a newer


def test_taking_over_waits_for_an_open_transaction_of_the_leader(store: SqlStore, other: SqlStore) -> None:
    leader = _held(store.leases.acquire("main", "a", SHORT))
    committed = threading.Event()

    def take_over() -> tuple[HeldLease, bool]:
        lease = until(lambda: other.leases.acquire("main", "b", MINUTE))
        return lease, committed.is_set()

    with ThreadPoolExecutor(1) as pool:
        with store.transaction(lease=leader) as transaction:
            transaction.events.append(event("before"), NOW)
            until(lambda: _expired(other))
            taking = pool.submit(take_over)
            wait([taking], timeout=0.3)  # if it could get through, it would have by now
            assert not taking.done()
            transaction.events.append(event("still"), NOW)
            committed.set()
        lease, after_commit = taking.result()
    assert after_commit
    assert lease.epoch == leader.epoch + 1
    assert _names(other) == ["before", "still"]


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
class TestOnPostgreSQL:
    """Several machines, so locks that outlive a silent client matter."""

    def test_a_leader_that_stalls_inside_a_transaction_is_cut_off(self, migrated_url: str, other: SqlStore) -> None:
        stalling = SqlStore(make_engine(parse_database_url(migrated_url), stall_seconds=1))
        leader = _held(stalling.leases.acquire("main", "a", SHORT))

        def stall() -> None:
            with stalling.transaction(lease=leader) as transaction:
                transaction.events.append(event("half done"), NOW)
                until(lambda: _taken_over(other))

        with pytest.raises(Transient):
            stall()
        assert _names(other) == []
        stalling.close()

    def test_a_write_that_meets_a_takeover_waits_and_is_refused(self, store: SqlStore, other: SqlStore) -> None:
        stalled = _held(store.leases.acquire("main", "a", SHORT))
        until(lambda: _expired(other))
        with ThreadPoolExecutor(1) as pool:
            with open_transaction(other._engine) as connection:
                assert take(connection, name="main", holder="b", ttl=MINUTE, renewing=False)
                writing = pool.submit(_write, store, stalled, "too late")
                wait([writing], timeout=0.3)
                assert not writing.done()
            with pytest.raises(LeaseLost):
                writing.result()
        assert _names(other) == []

    def test_renewing_does_not_wait_for_work_under_the_lease(self, migrated_url: str, other: SqlStore) -> None:
        leader = _held(other.leases.acquire("main", "a", MINUTE))
        impatient = SqlStore(make_engine(parse_database_url(migrated_url), lock_seconds=1))
        with other.transaction(lease=leader) as transaction:
            transaction.events.append(event("long"), NOW)
            assert impatient.leases.acquire("main", "a", MINUTE) == leader
            _write_read_only(impatient, leader)
        impatient.close()


def _taken_over(store: SqlStore) -> HeldLease | None:
    try:
        return store.leases.acquire("main", "b", MINUTE)
    except Transient:
        return None


def _write_read_only(store: SqlStore, lease: HeldLease) -> None:
    with store.transaction(lease=lease) as transaction:  # work of other jobs goes on beside it
        assert transaction.outbox.claim(1, NOW) == []


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_a_writer_that_waits_too_long_may_try_again(migrated_url: str, other: SqlStore) -> None:
    impatient = SqlStore(make_engine(parse_database_url(migrated_url), lock_seconds=0))
    with other.transaction(), pytest.raises(Transient, match="locked"), impatient.transaction():
        raise AssertionError("two writers at once")
    impatient.close()
