"""The store of what is seen from outside, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controlplane.model.check import (
    RUN_SECONDS,
    CheckHour,
    CheckKind,
    CheckResult,
    Outcome,
    RegionContact,
    RegionState,
    RegionVerdict,
    ReportHead,
    Verdict,
    VerdictKind,
)
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.checking import NOON, failed, head, result
from tests.contracts.storing import MINUTE, SECOND

HOUR = timedelta(hours=1)
EVER = datetime.min.replace(tzinfo=NOON.tzinfo)


def take(store: SqlStore, of: ReportHead, *results: CheckResult, at: datetime = NOON) -> int:
    with store.transaction() as transaction:
        return transaction.checks.take(of, results, at)


def stored(store: SqlStore, check: str = "gateway") -> list[CheckResult]:
    with store.transaction(read_only=True) as transaction:
        return transaction.checks.between(CheckKind.PROBE, check, NOON - HOUR, NOON + HOUR)


def totals(store: SqlStore) -> list[CheckHour]:
    with store.transaction(read_only=True) as transaction:
        return transaction.checks.totals()


def contacts(store: SqlStore) -> list[RegionContact]:
    with store.transaction(read_only=True) as transaction:
        return transaction.checks.contacts()


def test_results_come_back_as_they_were(store: SqlStore) -> None:
    journey = result(2, kind=CheckKind.JOURNEY, timings=(), samples=(), trace_id="", confirms=True)
    written = [failed(1), result(0), result(0, region="eu", check="other")]
    assert take(store, head(), *written, journey) == 4
    assert stored(store) == [result(0), failed(1)]
    with store.transaction(read_only=True) as transaction:
        checks = transaction.checks
        assert checks.between(CheckKind.JOURNEY, "gateway", NOON, NOON + MINUTE) == [journey]
        assert checks.between(CheckKind.PROBE, "gateway", NOON, NOON + SECOND) == [result(0)]
        assert checks.between(CheckKind.PROBE, "nobody's", NOON, NOON + SECOND) == []


def test_a_result_counts_once_however_often_it_comes(store: SqlStore, other: SqlStore) -> None:
    assert take(store, head(1), result(0), failed(30), result(0)) == 2
    assert take(other, head(1), result(0), failed(30), failed(60)) == 0  # the same report, whatever it holds
    assert take(other, head(2), failed(30), failed(60), result(90, outcome=Outcome.FAULT)) == 2
    assert totals(store) == [
        CheckHour(CheckKind.PROBE, "gateway", "eu", NOON.replace(microsecond=0), 1, 2, 1, 0.25)
    ]  # fmt: skip
    assert [each.outcome for each in stored(store)] == [Outcome.OK, Outcome.FAILED, Outcome.FAILED, Outcome.FAULT]


def test_a_second_account_of_a_run_does_not_replace_the_first(store: SqlStore) -> None:
    take(store, head(1), result(0))
    assert take(store, head(2), failed(0)) == 0
    assert stored(store) == [result(0)]


def test_hours_and_totals_add_up_in_any_order(store: SqlStore) -> None:
    take(store, head(2), result(3600), failed(10, check="other"))
    take(store, head(1), result(0), result(30, duration_seconds=0.5), failed(60))
    first, second = NOON.replace(microsecond=0), NOON.replace(microsecond=0) + HOUR
    with store.transaction(read_only=True) as transaction:
        checks = transaction.checks
        assert checks.hours(first, second + HOUR, ["gateway"]) == [
            CheckHour(CheckKind.PROBE, "gateway", "eu", first, 2, 1, 0, 0.75),
            CheckHour(CheckKind.PROBE, "gateway", "eu", second, 1, 0, 0, 0.25),
        ]
        assert [hour.check for hour in checks.hours(first, second)] == ["gateway", "other"]
        assert checks.hours(second + HOUR, second + 2 * HOUR) == []
        assert checks.totals() == [
            CheckHour(CheckKind.PROBE, "gateway", "eu", first, 3, 1, 0, 1.0),
            CheckHour(CheckKind.PROBE, "other", "eu", first, 0, 1, 0, 0.0),
        ]


def test_run_times_are_those_of_runs_that_were_ok(store: SqlStore) -> None:
    times = (0.01, 0.05, 0.051, 29.0, 31.0)
    take(store, head(1), *(result(number, duration_seconds=seconds) for number, seconds in enumerate(times)))
    take(store, head(2), failed(100, duration_seconds=0.01), result(50, duration_seconds=0.2))
    with store.transaction(read_only=True) as transaction:
        (found,) = transaction.checks.run_times()
    assert found.last_at == NOON + 100 * SECOND
    assert dict(zip((*RUN_SECONDS, "more"), found.counts, strict=True)) == {
        0.05: 2, 0.1: 1, 0.25: 1, 0.5: 0, 1.0: 0, 2.5: 0, 5.0: 0, 10.0: 0, 30.0: 1, "more": 1,
    }  # fmt: skip


def test_the_latest_are_so_many_of_each_check_and_region_oldest_first(store: SqlStore) -> None:
    for region in ("eu", "us"):
        runs = [result(10 * number, region=region) for number in range(5)]
        take(store, head(region=region), *runs, result(1, region=region, check="old"))
    with store.transaction(read_only=True) as transaction:
        latest = transaction.checks.latest
        found = [(each.check, each.region, each.started_at - NOON) for each in latest(2, NOON)]
        assert found == [
            ("old", "eu", 1 * SECOND),
            ("old", "us", 1 * SECOND),
            ("gateway", "eu", 30 * SECOND),
            ("gateway", "us", 30 * SECOND),
            ("gateway", "eu", 40 * SECOND),
            ("gateway", "us", 40 * SECOND),
        ]
        assert {each.check for each in latest(2, NOON + 2 * SECOND)} == {"gateway"}
        assert len(latest(1, NOON + 40 * SECOND)) == 2
        assert latest(100, NOON) == sorted(latest(100, NOON), key=lambda each: (each.started_at, each.key))
        assert len(latest(100, NOON)) == 12
        assert latest(100, NOON + HOUR) == []
        brief = replace(result(40), timings=(), samples=())
        assert latest(1, NOON + 35 * SECOND, is_brief=True) == [brief, replace(brief, region="us")]


def test_what_arrived_is_followed_by_number_and_reports_stay_whole(store: SqlStore) -> None:
    take(store, head(1), result(100), result(0))
    take(store, head(1, region="us"), result(50, region="us"))
    take(store, head(2))
    with store.transaction(read_only=True) as transaction:
        checks = transaction.checks
        assert checks.last_arrival() == 3
        everything, last = checks.arrived(0, 100)
        assert ([(each.region, each.started_at) for each in everything], last) == (
            [("eu", NOON), ("eu", NOON + 100 * SECOND), ("us", NOON + 50 * SECOND)],
            3,
        )
        first, after = checks.arrived(0, 1)
        assert (len(first), after) == (2, 1)
        assert checks.arrived(after, 1) == ([result(50, region="us")], 2)
        assert checks.arrived(2, 1) == ([], 3)


def test_results_that_come_late_arrive_all_the_same(store: SqlStore) -> None:
    take(store, head(1), result(1000))
    with store.transaction(read_only=True) as transaction:
        _, cursor = transaction.checks.arrived(0, 100)
    take(store, head(2), result(0))
    with store.transaction(read_only=True) as transaction:
        assert transaction.checks.arrived(cursor, 100) == ([result(0)], 2)
        assert transaction.checks.arrived(cursor, 1, is_brief=True) == ([result(0, timings=(), samples=())], 2)


def test_a_contact_moves_with_new_reports_only(store: SqlStore) -> None:
    take(store, head(5, buffered=7), at=NOON + 5 * SECOND)
    take(store, head(4, buffered=9), at=NOON + 6 * SECOND)  # overtaken, but a sign of life
    assert contacts(store) == [RegionContact("eu", "p1", 5, NOON + 6 * SECOND, 7, "0.1.0")]
    take(store, head(5, buffered=0), at=NOON + MINUTE)  # a replay is none
    assert contacts(store) == [RegionContact("eu", "p1", 5, NOON + 6 * SECOND, 7, "0.1.0")]
    take(store, head(1, prober="p2"), at=NOON + 7 * SECOND)
    take(store, head(1, region="us"), at=NOON + 8 * SECOND)
    assert [(each.region, each.prober, each.sequence) for each in contacts(store)] == [("eu", "p2", 1), ("us", "p1", 1)]


def test_a_report_is_known_by_region_prober_and_number(store: SqlStore) -> None:
    take(store, head(3))
    with store.transaction(read_only=True) as transaction:
        knows = transaction.checks.knows
        assert knows("eu", "p1", 3)
        assert not knows("eu", "p1", 2)
        assert not knows("eu", "p2", 3)
        assert not knows("us", "p1", 3)


def test_a_report_with_results_of_another_region_is_refused(store: SqlStore) -> None:
    with pytest.raises(Permanent, match="of another"):
        take(store, head(), result(region="us"))


def test_reports_that_come_at_once_count_once(store: SqlStore, other: SqlStore) -> None:
    runs = [result(number) for number in range(200)]

    def send(number: int) -> int:
        return take((store, other)[number % 2], head(number // 4), *runs[number // 4 * 50 :][:60])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(16))) == 200
    assert totals(store)[0].ok == 200


def verdict(check: str, kind: VerdictKind = VerdictKind.UP, latest_at: datetime | None = NOON) -> Verdict:
    regions = (
        RegionVerdict("eu", RegionState.UP, NOON, latest_at=latest_at, trace_id="ab"),
        RegionVerdict("us", RegionState.SILENT, NOON - MINUTE, "nothing was heard for 60 s"),
    )
    return Verdict(check, CheckKind.PROBE, kind, NOON, 2, regions, flapping=kind is VerdictKind.REGIONAL)


def test_the_verdicts_that_stand_are_those_put_last(store: SqlStore) -> None:
    first = [verdict("a"), verdict("b", VerdictKind.REGIONAL), verdict("c", latest_at=None)]
    second = [verdict("b", VerdictKind.GLOBAL), verdict("c", latest_at=None), verdict("d")]
    for put in (first, second, []):
        with store.transaction() as transaction:
            transaction.checks.put_verdicts(put, NOON)
        with store.transaction(read_only=True) as transaction:
            assert transaction.checks.verdicts() == put


def test_old_results_and_hours_go_and_totals_stay(store: SqlStore) -> None:
    take(store, head(1), result(0), result(10), result(4000), result(0, check="other"))
    with store.transaction() as transaction:
        assert transaction.checks.purge(NOON + 10 * SECOND, NOON) == 4  # two results, two hours of the first one
    assert stored(store) == [result(10)]
    assert [total.ok for total in totals(store)] == [3, 1]
    with store.transaction(read_only=True) as transaction:
        assert len(transaction.checks.hours(EVER, NOON + 2 * HOUR)) == 1
        assert not transaction.checks.knows("eu", "p1", 1)
        assert transaction.checks.last_arrival() == 1  # numbers go on


def test_ten_thousand_results_fit_into_one_report(store: SqlStore) -> None:
    runs = [result(30 * turn, check=f"c{number}", samples=()) for number in range(2500) for turn in range(4)]
    assert take(store, head(1), *runs) == 10_000
    assert take(store, head(2), *runs, result(120, check="c0")) == 1
    assert [total.ok for total in totals(store)] == [5] + [4] * 2499
