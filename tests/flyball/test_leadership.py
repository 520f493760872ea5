"""Who leads: one replica at a time, on SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane import conventions
from controlplane.ports import HeldLease, LeaseLost, Transient
from controlplane.store import SqlStore, migrate, open_store
from flyball.leadership import Leadership
from flyball.telemetry import Metrics, own_metrics
from tests.flyball.running import eventually

TTL = timedelta(seconds=2)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/f.db" if sqlite else request.getfixturevalue("postgresql_url")
    migrate(url)
    it = open_store(url)
    yield it
    it.close()


def contender(store: SqlStore, holder: str, ttl: timedelta = TTL) -> tuple[Leadership, Metrics]:
    metrics = own_metrics()
    return Leadership(store.leases, holder=holder, ttl=ttl, metrics=metrics), metrics


def gauge(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(name)


def test_one_of_two_leads_and_the_other_follows_when_it_is_given_up(store: SqlStore) -> None:
    (first, first_metrics), (second, second_metrics) = contender(store, "a"), contender(store, "b")
    assert first.renew()
    assert not second.renew()
    assert (gauge(first_metrics, conventions.LEADER), gauge(second_metrics, conventions.LEADER)) == (1, 0)
    held = first.proof()
    first.stop()
    assert first.lease is None
    assert second.renew()
    assert second.proof().epoch > held.epoch
    assert gauge(second_metrics, conventions.LEASE_EPOCH) == second.proof().epoch


def test_renewing_keeps_the_epoch(store: SqlStore) -> None:
    leader, _ = contender(store, "a")
    leader.renew()
    epoch = leader.proof().epoch
    assert leader.renew()
    assert leader.proof().epoch == epoch


def test_it_renews_itself_until_it_stops_and_another_takes_over(store: SqlStore) -> None:
    (first, _), (second, _) = contender(store, "a"), contender(store, "b")
    first.start()
    second.start()
    try:
        good_until = first._good_until
        eventually(lambda: first._good_until > good_until + TTL.total_seconds())  # longer than one lease lasts
        assert second.lease is None
        first.stop()
        eventually(lambda: second.lease is not None)
    finally:
        first.stop()
        second.stop()


class Stalling:
    """Leases of which the database can be taken away."""

    def __init__(self) -> None:
        self.reachable = True
        self.holder = ""

    def acquire(self, name: str, holder: str, ttl: timedelta) -> HeldLease | None:
        del ttl
        if not self.reachable:
            raise Transient("unreachable")
        if self.holder not in ("", holder):
            return None
        self.holder = holder
        return HeldLease(name, holder, 1)

    def release(self, lease: HeldLease) -> None:
        del lease
        if not self.reachable:
            raise Transient("unreachable")


def test_without_the_database_it_leads_only_until_its_time_is_up() -> None:
    leases, now = Stalling(), [100.0]
    leader = Leadership(leases, holder="a", ttl=TTL, metrics=own_metrics(), monotonic=lambda: now[0])
    leader.renew()
    leases.reachable = False
    now[0] += TTL.total_seconds() - 0.1
    assert leader.renew()
    now[0] += 0.2
    assert not leader.renew()
    with pytest.raises(LeaseLost):
        leader.proof()
    leases.reachable = True
    assert leader.renew()


def test_a_process_that_slept_through_its_time_does_not_believe_to_lead() -> None:
    leases, now = Stalling(), [100.0]
    leader = Leadership(leases, holder="a", ttl=TTL, metrics=own_metrics(), monotonic=lambda: now[0])
    leader.renew()
    now[0] += 3600
    assert leader.lease is None
    leases.holder = "b"
    assert not leader.renew()


def test_its_time_counts_from_before_the_request_not_from_the_answer() -> None:
    now = [100.0]

    class Slow(Stalling):
        def acquire(self, name: str, holder: str, ttl: timedelta) -> HeldLease | None:
            now[0] += ttl.total_seconds() * 0.9
            return super().acquire(name, holder, ttl)

    leader = Leadership(Slow(), holder="a", ttl=TTL, metrics=own_metrics(), monotonic=lambda: now[0])
    leader.renew()
    now[0] += TTL.total_seconds() * 0.2
    assert leader.lease is None


def test_a_lease_that_can_not_be_released_runs_out_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    leases = Stalling()
    leader = Leadership(leases, holder="a", ttl=TTL, metrics=own_metrics())
    leader.renew()
    leases.reachable = False
    leader.stop()
    assert leader.lease is None
    assert "leadership.release_failed" in [record.getMessage() for record in caplog.records]
