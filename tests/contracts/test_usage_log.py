"""The store of metered usage, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from controlplane.model.usage import (
    Aggregation,
    AsideEvent,
    AsideReason,
    InvoiceLine,
    LineKind,
    Outcome,
    Period,
    PeriodState,
    Reading,
    Receipt,
    Tally,
    UsageEvent,
    UsageTotal,
)
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.metering import NOVEMBER, OCTOBER, used
from tests.contracts.storing import NOW


def record(store: SqlStore, *events: UsageEvent, aside: tuple[AsideEvent, ...] = ()) -> Receipt:
    with store.transaction() as transaction:
        return transaction.usage.record(events, aside, NOW)


def totals(store: SqlStore, **which: str) -> list[UsageTotal]:
    with store.transaction(read_only=True) as transaction:
        return transaction.usage.totals(**which)


def quantities(store: SqlStore) -> dict[str, str]:
    return {f"{each.tenant} {each.booked} {each.period}": str(each.quantity) for each in totals(store)}


def shut(store: SqlStore, period: str) -> None:
    with store.transaction() as transaction:
        transaction.usage.move(period, PeriodState.CLOSING, NOW)


def a_line(**changes: object) -> InvoiceLine:
    line = InvoiceLine(
        "2026-11", LineKind.USAGE, "alpha", "tokens", "2026-11", "token", Decimal("10.5"), Decimal(0),
        Decimal("10.5"), "USD", Decimal("1.50"), {"price": {"amount": "0.1"}, "free": "0"}, 'a, "note" ✓',
    )  # fmt: skip
    return replace(line, **changes)  # type: ignore[arg-type]


def test_an_event_counts_once_however_often_it_comes(store: SqlStore, other: SqlStore) -> None:
    assert record(store, used("a"), used("b")) == Receipt(accepted=2)
    assert record(other, used("b"), used("c"), used("c")) == Receipt(accepted=1, duplicates=2)
    assert record(store, used("a"), used("b"), used("c")) == Receipt(duplicates=3)
    assert quantities(store) == {"alpha 2026-11 2026-11": "30"}
    with store.transaction(read_only=True) as transaction:
        outcomes = transaction.usage.outcomes()
    assert (outcomes[Outcome.ACCEPTED], outcomes[Outcome.DUPLICATE], outcomes[Outcome.REFUSED]) == (3, 5, 0)


def test_tenant_source_and_id_together_make_an_event_unique(store: SqlStore) -> None:
    same_id = [used("a"), used("a", tenant="beta"), used("a", source="urn:b"), used("a'; DROP TABLE usage_events --")]
    assert record(store, *same_id) == Receipt(accepted=4)
    assert record(store, *same_id) == Receipt(duplicates=4)


def test_the_same_name_with_other_content_is_set_aside_and_not_counted(store: SqlStore) -> None:
    record(store, used("a", "10"))
    assert record(store, used("a", "11"), used("b", "1"), used("b", "2")) == Receipt(accepted=1, conflicts=2)
    assert record(store, used("a", "11")) == Receipt(conflicts=1)
    with store.transaction(read_only=True) as transaction:
        kept = transaction.usage.set_aside(10)
    assert [(each.event.id, each.reason, each.seen) for each in kept] == [
        ("a", AsideReason.CONFLICT, 2),
        ("b", AsideReason.CONFLICT, 1),
    ]
    assert kept[0].event == replace(used("a", "11"), trace_id="")
    (total,) = totals(store)
    assert (total.quantity, total.events, total.quarantined, total.quarantined_events) == (11, 2, 13, 2)


def test_what_no_meter_knows_is_kept_and_listed_in_pages(store: SqlStore) -> None:
    unknown = [
        AsideEvent(AsideReason.UNKNOWN_TYPE, replace(used(name), readings=(), payload=b'["x"]'), NOW)
        for name in ("a", "b", "c")
    ]
    assert record(store, aside=tuple(unknown)) == Receipt(unknown=3)
    assert record(store, aside=tuple(unknown[:1])) == Receipt(unknown=1)
    with store.transaction(read_only=True) as transaction:
        first = transaction.usage.set_aside(2)
        rest = transaction.usage.set_aside(2, first[-1])
        assert transaction.usage.outcomes()[Outcome.UNKNOWN_TYPE] == 4
    assert [(each.event.id, each.seen) for each in (*first, *rest)] == [("a", 2), ("b", 1), ("c", 1)]
    assert first[0].event.payload == b'["x"]'
    assert totals(store) == []


def test_an_event_that_is_counted_is_no_longer_set_aside_for_being_unknown(store: SqlStore) -> None:
    unknown = [
        AsideEvent(AsideReason.UNKNOWN_TYPE, replace(used(name), readings=()), NOW) for name in ("a", "b")
    ]  # fmt: skip
    record(store, used("c"), used("c", "11"), aside=tuple(unknown))
    assert record(store, used("a"), used("b", "99")).accepted == 2
    with store.transaction(read_only=True) as transaction:
        kept = transaction.usage.set_aside(10)
    assert [(each.event.id, each.reason.value) for each in kept] == [("b", "unknown_type"), ("c", "conflict")]


def test_events_set_aside_under_one_name_are_all_listed_in_pages(store: SqlStore) -> None:
    record(store, used("a"), *[used("a", str(quantity)) for quantity in range(20, 27)])
    found: list[AsideEvent] = []
    with store.transaction(read_only=True) as transaction:
        while page := transaction.usage.set_aside(2, found[-1] if found else None):
            found += page
    assert len({each.event.digest for each in found}) == len(found) == 7


def test_quantities_add_up_exactly_where_floats_would_not(store: SqlStore) -> None:
    tiny, huge = "0.000000000001", "999999999999999999"
    for number in range(3):
        record(store, used(f"t{number}", tiny), used(f"h{number}", huge), used(f"p{number}", "0.1"))
    (total,) = totals(store)
    assert total.quantity == Decimal("2999999999999999997.300000000003")


def test_totals_stand_by_month_day_tenant_meter_and_dimensions(store: SqlStore) -> None:
    record(
        store,
        used("a", time=OCTOBER),
        used("b", time=OCTOBER + timedelta(microseconds=1), dimensions='{"model":"x"}'),
        used("c", time=NOVEMBER, meter="calls", aggregation=Aggregation.COUNT, quantity="1"),
        used("d", time=datetime(2026, 11, 5, 23, 30, tzinfo=UTC)),
    )
    found = [(each.period, each.day, each.meter, each.dimensions, str(each.quantity)) for each in totals(store)]
    assert found == [
        ("2026-10", date(2026, 10, 31), "tokens", "{}", "10"),
        ("2026-11", date(2026, 11, 1), "tokens", '{"model":"x"}', "10"),
        ("2026-11", date(2026, 11, 5), "calls", "{}", "1"),
        ("2026-11", date(2026, 11, 5), "tokens", "{}", "10"),
    ]
    assert [each.meter for each in totals(store, period="2026-11", meters=["calls"])] == ["calls"]  # type: ignore[arg-type]


def test_a_maximum_is_kept_and_values_are_told_apart_within_a_month(store: SqlStore) -> None:
    def peak(name: str, quantity: str) -> UsageEvent:
        return used(name, quantity, meter="peak", aggregation=Aggregation.MAX)

    def user(name: str, value: str, time: datetime = NOVEMBER) -> UsageEvent:
        return used(name, "1", meter="users", aggregation=Aggregation.UNIQUE, value=value, time=time)

    record(store, peak("a", "3"), peak("b", "7.5"), user("c", "ann"), user("d", "bob"), user("e", "ann"))
    record(store, peak("f", "5"), user("g", "bob"), user("h", "cid"), user("i", "ann", OCTOBER))
    found = {(each.period, each.meter): (str(each.quantity), each.events) for each in totals(store)}
    assert found == {
        ("2026-10", "users"): ("1", 1),
        ("2026-11", "peak"): ("7.5", 3),
        ("2026-11", "users"): ("3", 5),
    }


def test_what_comes_after_its_month_was_shut_is_booked_to_the_first_open_one(store: SqlStore) -> None:
    record(store, used("a", time=OCTOBER))
    shut(store, "2026-10")
    assert record(store, used("b", time=OCTOBER), used("c")) == Receipt(accepted=2, late=1)
    september = datetime(2026, 9, 1, tzinfo=UTC)
    assert record(store, used("d", time=september)).late == 1  # nothing before a shut month may change
    assert quantities(store) == {
        "alpha 2026-10 2026-10": "10",
        "alpha 2026-11 2026-09": "10",
        "alpha 2026-11 2026-10": "10",
        "alpha 2026-11 2026-11": "10",
    }
    shut(store, "2026-11")
    assert record(store, used("e", time=OCTOBER)).late == 1
    assert quantities(store)["alpha 2026-12 2026-10"] == "10"


def test_months_move_on_and_never_back(store: SqlStore) -> None:
    with store.transaction() as transaction:
        moves = [
            transaction.usage.move("2026-11", state, NOW)
            for state in (PeriodState.GRACE, PeriodState.OPEN, PeriodState.GRACE, PeriodState.CLOSING)
        ]
    assert moves == [True, False, False, True]
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.periods() == [Period("2026-11", PeriodState.CLOSING)]


def test_closing_keeps_lines_and_controls_once(store: SqlStore) -> None:
    lines = [a_line(), a_line(kind=LineKind.CREDIT, item="standard", amount=Decimal("-0.10"), quantity=Decimal(0))]
    controls = {"controls": [{"tenant": "alpha", "accepted": "10.5"}]}
    with pytest.raises(Permanent, match="not being closed"), store.transaction() as transaction:
        transaction.usage.close("2026-11", lines, controls, NOW)
    shut(store, "2026-11")
    with store.transaction() as transaction:
        assert transaction.usage.close("2026-11", lines, controls, NOW)
        assert not transaction.usage.close("2026-11", [], {}, NOW)
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.lines(booked="2026-11") == sorted(lines, key=lambda line: line.kind.value)
        assert transaction.usage.lines(period="2026-10") == []
        assert transaction.usage.periods() == [Period("2026-11", PeriodState.CLOSED, NOW, controls)]


def test_a_recount_in_pages_says_what_the_totals_say(store: SqlStore) -> None:
    events = [used(f"e{number:03d}", str(number), tenant=f"t{number % 3}") for number in range(100)]
    record(store, *events, used("e000", "5", tenant="t0"))
    record(store, used("x", "9", meter="peak", aggregation=Aggregation.MAX))
    tallies: list[Tally] = []
    place, pages = None, 0
    while True:
        with store.transaction(read_only=True) as transaction:
            found, place = transaction.usage.recount("2026-11", place, 7)
        tallies, pages = [*tallies, *found], pages + 1
        if place is None:
            break
    assert pages == 15
    for tenant in ("t0", "t1", "t2"):
        own = [each for each in tallies if each.tenant == tenant]
        (total,) = [each for each in totals(store) if each.tenant == tenant]
        assert sum(each.quantity for each in own) == total.quantity
        assert sum(each.events for each in own) == total.events
        assert sum(each.quarantined for each in own) == total.quarantined == (5 if tenant == "t0" else 0)


def test_counters_only_grow_and_tenants_not_shown_count_together(store: SqlStore) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    record(store, used("a", "1", tenant="big"), used("b", "2", tenant="small", trace_id=trace))
    with store.transaction() as transaction:
        transaction.usage.show(["big"])
        assert transaction.usage.shown() == {"big": True, "small": False}
    record(store, used("c", "10", tenant="big"), used("d", "20", tenant="small"))
    with store.transaction() as transaction:
        transaction.usage.show(["small"])
    record(store, used("e", "100", tenant="big"), used("f", "200", tenant="small"))
    with store.transaction(read_only=True) as transaction:
        counters = {each.tenant: each for each in transaction.usage.counters()}
    assert {name: str(each.quantity) for name, each in counters.items()} == {"": "123", "big": "111", "small": "222"}
    assert (counters["small"].trace_id, counters["small"].traced) == (trace, 2)
    assert counters[""].trace_id == trace


def test_events_of_closed_months_may_be_forgotten_and_totals_stay(store: SqlStore) -> None:
    record(store, used("a", time=OCTOBER), used("b"))
    shut(store, "2026-10")
    with store.transaction() as transaction:
        assert transaction.usage.forget("2026-12") == 0
        transaction.usage.close("2026-10", [], {}, NOW)
        assert transaction.usage.forget("2026-12") == 1
    assert quantities(store) == {"alpha 2026-10 2026-10": "10", "alpha 2026-11 2026-11": "10"}


def test_an_event_may_have_no_reading_and_several(store: SqlStore) -> None:
    readings = (
        Reading("input", Aggregation.SUM, Decimal(3), '{"model":"ü ✓"}'),
        Reading("output", Aggregation.SUM, Decimal(4)),
    )
    assert record(store, replace(used("a"), readings=readings), replace(used("b"), readings=())).accepted == 2
    assert {each.meter: str(each.quantity) for each in totals(store)} == {"input": "3", "output": "4"}


def test_a_batch_that_fails_leaves_nothing(store: SqlStore) -> None:
    record(store, used("a"))

    def record_and_fail() -> None:
        with store.transaction() as transaction:
            transaction.usage.record([used("b"), used("a", "11")], [], NOW)
            transaction.usage.close("2026-11", [], {}, NOW)

    with pytest.raises(Permanent):
        record_and_fail()
    assert quantities(store) == {"alpha 2026-11 2026-11": "10"}
    assert record(store, used("b")) == Receipt(accepted=1)


def test_replicas_that_count_the_same_events_at_once_count_them_once(store: SqlStore, other: SqlStore) -> None:
    batches = [[used(f"e{first + number}", "0.1") for number in range(20)] for first in range(0, 200, 10)]

    def count(one: SqlStore) -> int:
        return sum(record(one, *batch).accepted for batch in batches)

    with ThreadPoolExecutor(4) as pool:
        accepted = sum(pool.map(count, [store, other, store, other]))
    (total,) = totals(store)
    assert (accepted, total.events, str(total.quantity)) == (210, 210, "21")
