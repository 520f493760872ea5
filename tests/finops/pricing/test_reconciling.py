"""Bill and estimate side by side: which ratios are published, and what is only told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.spend import SpendRow, SpendTable
from finops.pricing.both_ledgers import both_ledgers, days_apart
from finops.pricing.model import BilledNames, Correction
from finops.pricing.reconciling import STANDARD, Outcome, Reconciliation, Rules, reconcile
from tests.finops.pricing.pricing import D
from tests.slo.evaluating import utc

FIRST = utc(2026, 11, 1)
NOW = utc(2026, 11, 15, 9)
SAME = BilledNames()
Money = Mapping[str, Sequence[str | int | None]]  # one amount a day from the first of November on, by service


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


def table(money: Money, currency: str = "USD") -> SpendTable:
    rows = []
    for service, amounts in money.items():
        for number, amount in enumerate(amounts):
            if amount is not None:
                key = (f"{day(number):%Y-%m-%dT00:00:00Z}", service or None)
                rows.append(SpendRow(key, currency, D(amount), D(0)))
    return SpendTable(("day", "service"), tuple(rows), NOW)


def compared(
    billed: Money,
    estimated: Money,
    *,
    covered: str = "1",
    called: BilledNames = SAME,
    previous: Mapping[tuple[str, str], Decimal] | None = None,
    rules: Rules = STANDARD,
) -> Reconciliation:
    coverage = {(day(n), service, "USD"): D(covered) for service in estimated for n in range(30)}
    return reconcile(
        table(billed), table(estimated), coverage=coverage, called=called, belief=Correction(), previous=previous or {},
        now=NOW, rules=rules,
    )  # fmt: skip


def outcomes(found: Reconciliation) -> dict[str, Outcome]:
    return {each.service: each.outcome for each in found.services}


def test_the_ratio_is_what_was_billed_for_what_was_estimated_in_the_latest_days_that_both_know() -> None:
    found = compared({"shop": [500] * 3 + [104] * 9}, {"shop": [100] * 14})
    assert found.ratios == {("shop", "USD"): D("1.04")}
    (shop,) = found.services
    assert shop.days == tuple(day(number) for number in range(5, 12))
    assert (shop.billed, shop.estimated) == (D(728), D(700))
    assert shop.until == day(12)


def test_today_does_not_count() -> None:
    found = compared({"shop": [10] * 15}, {"shop": [10] * 15})
    assert found.services[0].until == day(14)


def test_what_one_ledger_alone_knows_is_told_and_gets_no_ratio() -> None:
    found = compared({"tax": [3] * 9, "shop": [10] * 9}, {"shop": [10] * 9, "idle": [4] * 9})
    assert outcomes(found) == {
        "idle": Outcome.ONLY_ESTIMATED,
        "shop": Outcome.CORRECTED,
        "tax": Outcome.ONLY_BILLED,
    }
    assert {each.service: (each.billed, each.estimated) for each in found.services}["tax"] == (D(27), D(0))
    assert list(found.ratios) == [("shop", "USD")]


def test_names_of_the_bill_come_under_ours() -> None:
    called = BilledNames(services=(("shop", ("Amazon EC2", "AWS Data Transfer")),))
    found = compared({"Amazon EC2": [6] * 9, "AWS Data Transfer": [3] * 9}, {"shop": [10] * 9}, called=called)
    assert found.ratios == {("shop", "USD"): D("0.9")}


def test_a_day_that_is_far_off_the_others_is_left_out() -> None:
    found = compared({"shop": [11] * 8 + [2]}, {"shop": [10] * 9})
    (shop,) = found.services
    assert shop.ratio == D("1.1")
    assert shop.left_out == (day(8),)


@pytest.mark.parametrize(
    ("billed", "estimated", "covered", "outcome"),
    [
        ([10] * 2, [10] * 9, "1", Outcome.TOO_FEW_DAYS),
        ([10] * 9, [10] * 9, "0.9", Outcome.TOO_FEW_DAYS),
        (["0.01"] * 9, ["0.01"] * 9, "1", Outcome.TOO_LITTLE),
        ([400] * 9, [10] * 9, "1", Outcome.UNBELIEVABLE),
        ([0] * 9, [10] * 9, "1", Outcome.TOO_LITTLE),
        ([-5] * 9, [10] * 9, "1", Outcome.TOO_LITTLE),
        ([10] * 9, [0] * 9, "1", Outcome.TOO_FEW_DAYS),
    ],
)
def test_a_ratio_that_rests_on_too_little_is_not_published(
    billed: Sequence[str | int], estimated: Sequence[str | int], covered: str, outcome: Outcome
) -> None:
    found = compared({"shop": billed}, {"shop": estimated}, covered=covered)
    assert outcomes(found) == {"shop": outcome}
    assert found.ratios == {}


def test_a_service_that_comes_and_goes_is_compared_by_the_days_that_the_ledger_knows() -> None:
    always = {(day(n), "shop", "USD"): D("0.99" if n != 5 else "0.5") for n in range(9)}
    now_and_then = {(day(n), "jdbc", "USD"): D("0.2") for n in range(9)}
    found = reconcile(
        table({"shop": [10] * 9, "jdbc": [6] * 9}), table({"shop": [10] * 9, "jdbc": [5] * 9}),
        coverage=always | now_and_then, called=SAME, belief=Correction(), previous={}, now=NOW,
    )  # fmt: skip
    assert found.ratios == {("jdbc", "USD"): D("1.2"), ("shop", "USD"): D(1)}
    assert all(day(5) not in each.days for each in found.services)


def test_a_ratio_does_not_change_by_a_hair() -> None:
    estimated: Money = {"shop": [100] * 9}
    before = {("shop", "USD"): D("1.04")}
    assert compared({"shop": [105] * 9}, estimated, previous=before).ratios == before
    assert compared({"shop": [107] * 9}, estimated, previous=before).ratios == {("shop", "USD"): D("1.07")}


@given(st.decimals(D("0.25"), 4, places=3), st.lists(st.decimals(1, 10_000, places=2), min_size=3, max_size=7))
def test_a_bill_that_is_a_multiple_of_the_estimate_gives_that_multiple(factor: Decimal, days: list[Decimal]) -> None:
    estimated = {"shop": [str(amount) for amount in days]}
    billed = {"shop": [str(amount * factor) for amount in days]}
    (shop,) = compared(billed, estimated, rules=Rules(least_spend=D(0))).services
    assert shop.ratio == factor
    assert shop.left_out == ()
    assert len(shop.days) == len(days)


def by_day(*days: str) -> SpendTable:
    rows = (SpendRow((f"{day}T00:00:00Z",), currency, ONE, ONE) for day in days for currency in ("EUR", "USD"))
    return SpendTable(("day",), tuple(rows))


ONE = Decimal(1)


def test_ledgers_that_know_different_days_are_not_compared_in_silence() -> None:
    october, november = "2026-10-31", "2026-11-01"
    assert days_apart(by_day(october, november), by_day(october, november)) == ""
    assert days_apart(by_day(), by_day()) == ""
    note = days_apart(by_day(november), by_day(october, november))
    assert note.startswith(
        "Not the same days: the estimate has 1 (2026-11-01 to 2026-11-01), the bills have 2 (2026-10-31 to 2026-11-01)."
    )
    assert "the bills have none" in days_apart(by_day(november), by_day())


def test_both_ledgers_stand_side_by_side_and_what_one_does_not_know_is_no_zero() -> None:
    billed = SpendTable(("service",), (SpendRow(("EC2",), "USD", D("6.5"), D(9)), SpendRow((None,), "USD", D(2), D(2))))
    estimated = SpendTable(
        ("service",), (SpendRow(("shop",), "USD", D(5), D(5)), SpendRow(("idle",), "USD", D(1), D(1))), NOW
    )
    both = both_ledgers(estimated, billed, (BilledNames(services=(("shop", ("EC2",)),)),))
    assert [(row.key[0], row.estimated, row.billed, row.difference, row.ratio) for row in both.rows] == [
        ("idle", D(1), None, None, None),
        ("shop", D(5), D("6.5"), D("1.5"), D("1.3")),
        (None, None, D(2), None, None),
    ]
    assert both.as_json()["rows"][1] == {  # type: ignore[index, call-overload]
        "key": ["shop"], "currency": "USD", "estimated": "5", "billed": "6.5", "difference": "1.5",
        "ratio": "1.300000",
    }  # fmt: skip
