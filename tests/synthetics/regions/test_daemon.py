"""Judging and forgetting over a real store."""

from datetime import timedelta

import pytest

from controlplane.model.check import CheckKind, Outcome, RegionState, VerdictKind
from controlplane.ports import LeaseLost
from controlplane.store import SqlStore
from synthetics.regions.daemon import Forgetting, Judging
from synthetics.regions.model import LOCAL, Region, Watch, Watched
from tests.contracts.checking import NOON, failed, head, result

SECONDS = timedelta(seconds=1)
GATEWAY = Watched("gateway", CheckKind.PROBE, 30 * SECONDS)
WATCH = Watch((GATEWAY,), (Region("eu"),))


def take(store: SqlStore, number: int, *results: object, after: float = 0) -> None:
    with store.transaction() as transaction:
        transaction.checks.take(head(number), results, NOON + after * SECONDS)  # type: ignore[arg-type]


def events(store: SqlStore) -> list[tuple[str, str]]:
    with store.transaction(read_only=True) as transaction:
        return [(each.event.kind, each.event.subject) for each in transaction.events.after(0, 100)]


def test_a_change_is_told_once_whoever_judges(store: SqlStore) -> None:
    one, other = Judging(store, lambda: WATCH), Judging(store, lambda: WATCH)
    take(store, 1, result(0))
    one.run_once(NOON + SECONDS)
    take(store, 2, failed(30), failed(32), after=33)
    told = other.run_once(NOON + 34 * SECONDS).events  # the other replica became the leader
    assert [(each.data["from"], each.data["to"], each.data["details"]) for each in told] == [
        ("up", "global", {"eu": "status: 503 — it’s down"})
    ]
    assert one.run_once(NOON + 35 * SECONDS).events == ()
    assert other.run_once(NOON + 36 * SECONDS).events == ()
    assert events(store) == [("check.verdict_changed", "probe/gateway")]


def test_a_region_that_falls_silent_and_is_heard_again_is_told_once_each(store: SqlStore) -> None:
    one = Judging(store, lambda: WATCH)
    take(store, 1, result(0))
    for second in (1, 60, 62, 64):
        one.run_once(NOON + second * SECONDS)
    take(store, 2, result(70), after=70)
    restarted = Judging(store, lambda: WATCH)
    restarted.run_once(NOON + 71 * SECONDS)
    assert [kind for kind, _ in events(store)] == [
        "region.silent", "check.verdict_changed", "region.heard", "check.verdict_changed",
    ]  # fmt: skip


def test_what_is_declared_no_more_has_no_verdict(store: SqlStore) -> None:
    watches = [WATCH, Watch((), (LOCAL,))]
    one = Judging(store, lambda: watches.pop(0))
    take(store, 1, result(0))
    assert one.run_once(NOON + SECONDS).verdicts == 2
    one.run_once(NOON + 2 * SECONDS)
    with store.transaction(read_only=True) as transaction:
        assert [(each.check_kind, each.check) for each in transaction.checks.verdicts()] == [
            (CheckKind.SELF_CHECK, "local")
        ]


def test_a_leader_that_is_one_no_more_writes_nothing(store: SqlStore) -> None:
    lease = store.leases.acquire("leader", "a", 10 * SECONDS)
    assert lease
    store.leases.release(lease)
    take(store, 1, failed(0), failed(2))
    one = Judging(store, lambda: WATCH)
    with pytest.raises(LeaseLost):
        one.run_once(NOON + 3 * SECONDS, lease)
    assert events(store) == []
    assert [event.data["to"] for event in one.run_once(NOON + 4 * SECONDS).events] == ["global"]


def test_a_fault_of_the_prober_says_nothing_of_the_target(store: SqlStore) -> None:
    take(store, 1, result(0), result(30, outcome=Outcome.FAULT, reason="prober", detail="no route"), after=31)
    Judging(store, lambda: WATCH).run_once(NOON + 32 * SECONDS)
    with store.transaction(read_only=True) as transaction:
        (verdict,) = [each for each in transaction.checks.verdicts() if each.check == "gateway"]
    assert (verdict.kind, verdict.regions[0].state) == (VerdictKind.UNKNOWN, RegionState.FAULT)
    assert verdict.regions[0].detail == "prober: no route"


def test_old_results_are_forgotten_but_not_before_they_could_come_again(store: SqlStore) -> None:
    take(store, 1, result(0), result(100))
    forgetting = Forgetting(store, results_kept=timedelta(hours=1), hours_kept=timedelta(days=400))
    assert forgetting.run_once(NOON + timedelta(hours=23)) == 0
    assert forgetting.run_once(NOON + timedelta(hours=24, seconds=50)) == 1
    with store.transaction(read_only=True) as transaction:
        assert [total.ok for total in transaction.checks.totals()] == [2]
