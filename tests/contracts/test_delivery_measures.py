"""The store of what was measured of deliveries, on both databases."""

import os
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.delivery import CounterRow, Sheet, SheetKey, StoredEffect
from controlplane.ports import Transient
from controlplane.store import SqlStore
from tests.contracts.delivering import NOON

DAY = NOON.date()
FIRST, SECOND = SheetKey("shop", "production", DAY), SheetKey("shop", "production", DAY + timedelta(days=1))
OTHER, STAGING = SheetKey("till", "production", DAY), SheetKey("shop", "staging", DAY)


def test_days_are_stale_until_their_sheets_are_put(store: SqlStore) -> None:
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.mark_stale([SECOND, OTHER, FIRST, FIRST])
        delivery.mark_stale([OTHER])
        assert (delivery.stale(10), delivery.count_stale()) == ([FIRST, SECOND, OTHER], 3)
        assert delivery.stale(2) == [FIRST, SECOND]
        delivery.put_sheets([Sheet(SECOND, b"x"), Sheet(FIRST, b"")])
        assert (delivery.stale(10), delivery.count_stale()) == ([OTHER], 1)
        assert list(delivery.sheets_of([FIRST, SECOND])) == [SECOND]


def test_sheets_are_found_by_their_days_and_an_empty_one_is_dropped(store: SqlStore) -> None:
    bodies = {key: os.urandom(9000) for key in (FIRST, SECOND, OTHER, STAGING)}
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.put_sheets([Sheet(key, b"old") for key in bodies])
        delivery.put_sheets([Sheet(key, body) for key, body in reversed(bodies.items())])
        found = delivery.sheets(DAY, DAY)
        assert found == [Sheet(key, bodies[key]) for key in (FIRST, STAGING, OTHER)]
        assert [each.key for each in delivery.sheets(DAY, SECOND.day, service="shop")] == [FIRST, SECOND, STAGING]
        assert [each.key for each in delivery.sheets(DAY, SECOND.day, environment="staging")] == [STAGING]
        assert delivery.sheets(SECOND.day + timedelta(days=1), SECOND.day + timedelta(days=9)) == []
        assert delivery.sheets_of([SECOND, OTHER]) == {key: Sheet(key, bodies[key]) for key in (SECOND, OTHER)}
        delivery.put_sheets([Sheet(FIRST, b"")])
        assert [each.key for each in delivery.sheets(DAY, DAY)] == [STAGING, OTHER]


def test_what_is_counted_late_does_not_replace_a_later_exemplar(store: SqlStore) -> None:
    for number, at in ((2, "1795993200.000"), (1, "1795424400.000")):
        row = CounterRow(
            "dora_deployments_total", "shop", "production", "{}", Decimal(1), {"deployment": f"/cd#{number}", "at": at}
        )
        with store.transaction() as transaction:
            transaction.delivery.add_counters([row])
    with store.transaction(read_only=True) as transaction:
        (found,) = transaction.delivery.counters()
    assert found.value == 2
    assert found.exemplar["deployment"] == "/cd#2"


def test_counters_grow_exactly_and_keep_the_newest_exemplar(store: SqlStore) -> None:
    row = CounterRow("dora_deployments_total", "shop", "production", "{}", Decimal("0.1"))
    example = replace(row, exemplar={"deployment": "/cd#1", "value": "3"})
    bucket = replace(row, labels='{"le":"60"}', value=Decimal("1e3"))
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.add_counters([row, example, row, bucket])
        delivery.add_counters([row])
        assert delivery.counters() == [replace(bucket, value=Decimal(1000)), replace(example, value=Decimal("0.4"))]
        newer = replace(row, exemplar={"deployment": "/cd#2"})
        delivery.add_counters([newer])
        assert delivery.counters()[1] == replace(newer, value=Decimal("0.5"))
        with pytest.raises(ValueError, match="no number"):
            delivery.add_counters([replace(row, name="other", value=Decimal("NaN"))])


def test_effects_come_worst_first_and_the_unknown_ones_last(store: SqlStore) -> None:
    def effect(deployment: str, score: str | None, state: str = "measured", hours: float = 0) -> StoredEffect:
        exact = None if score is None else Decimal(score)
        at = NOON + timedelta(hours=hours)
        return StoredEffect(deployment, "slo:reads", "shop", "production", at, state, exact, {"ratio": score, "n": [1]})

    worst, mild, good = effect("b", "10.5"), effect("a", "9.25"), effect("d", "-0.5")
    unknown, waiting = effect("c", None, "unknown"), effect("e", None, "waiting", -1)
    late = replace(effect("f", "99", hours=2), service="till")
    cost = replace(mild, subject="unit_cost:request", score=Decimal(0), body={})
    with store.transaction() as transaction:
        delivery = transaction.delivery
        delivery.put_effects([replace(mild, score=None), unknown, waiting, mild, good, worst, late, cost])
        begin, end = NOON - timedelta(hours=1), NOON + timedelta(hours=2)
        assert delivery.effects_between(begin, end) == [worst, mild, cost, good, unknown, waiting]
        assert delivery.effects_between(begin, end, limit=1) == [worst]
        assert delivery.effects_between(begin, end, state="waiting") == [waiting]
        assert delivery.effects_between(begin, end, state="unknown", service="shop") == [unknown]
        assert delivery.effects_between(begin, end + timedelta(hours=1), service="till") == [late]
        assert delivery.effects_of(["a", "b", "none"]) == {"a": [mild, cost], "b": [worst]}
        delivery.put_effects([replace(waiting, state="measured", score=Decimal("-1"))])
        assert delivery.effects_between(begin, end, state="waiting") == []


def test_readers_remember_how_far_they_came(store: SqlStore) -> None:
    with store.transaction() as transaction:
        assert transaction.delivery.progress("facts") is None
        transaction.delivery.put_progress("facts", {"sequence": 7, "policy": "ünï"})
        transaction.delivery.put_progress("facts", {"sequence": 8, "policy": None})
        transaction.delivery.put_progress("other", {})
    with store.transaction(read_only=True) as transaction:
        assert transaction.delivery.progress("facts") == {"sequence": 8, "policy": None}
        assert transaction.delivery.progress("other") == {}


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)
def test_reading_sheets_fails_as_the_port_says(store: SqlStore, other: SqlStore) -> None:
    def read_while_the_connection_is_cut() -> None:
        with store.transaction(read_only=True) as transaction:
            number = transaction._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with other.transaction() as another:
                another._connection.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 10000)")
            transaction.delivery.sheets(DAY, DAY)

    with pytest.raises(Transient, match=r"lost|terminat"):
        read_while_the_connection_is_cut()
