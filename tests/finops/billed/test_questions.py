"""What the ledger answers."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.spend import SpendQuestion
from controlplane.ports import CostLedger, Permanent
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.currencies import converted, daily
from finops.billed.model import ExchangeRates, Rate, Term
from tests.finops.billed.focus import Ledger, row, write_csv

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def filled(ledger: Ledger, tmp_path: Path) -> Ledger:
    later = {"ChargePeriodStart": "2026-10-06T00:00:00Z", "ChargePeriodEnd": "2026-10-06T01:00:00Z"}
    path = write_csv(
        tmp_path / "a.csv",
        row(Tags='{"App": "shop", "team": "core"}'), row(Tags="", ServiceName="Storage", **later),
        row(Tags='{"owner": "edge"}', ConsumedUnit="GB", BillingCurrency="EUR", ListCost=""),
        row(ChargeCategory="Tax", ConsumedQuantity="", ConsumedUnit="", Tags='{"team": "core"}'),
    )  # fmt: skip
    ledger.take(
        path, dimensions={"service": (Term(tag="app"), Term(column="ServiceName"))}, tag_aliases={"owner": "team"}
    )
    return ledger


def test_dimensions_are_derived_as_the_source_declares(filled: Ledger) -> None:
    assert [(each.key, each.currency, each.rows) for each in filled.spend("service", "team")] == [
        (("Compute", "core"), "USD", 1), (("Compute", "edge"), "EUR", 1), (("Storage", None), "USD", 1),
        (("shop", "core"), "USD", 1),
    ]  # fmt: skip


def test_rows_are_chosen_by_any_of_several_values_and_by_having_none(filled: Ledger) -> None:
    assert [each.rows for each in filled.spend(where={"team": ("core",)})] == [2]
    assert [each.rows for each in filled.spend(where={"team": ("", "edge")})] == [1, 1]
    assert filled.spend(where={"team": ()}) == ()
    assert [each.rows for each in filled.spend(where={"day": ("2026-10-06T00:00:00Z",)})] == [1]
    assert [each.rows for each in filled.spend(where={"service": ("o'brien",), "x; DROP TABLE y": ("1",)})] == []


def test_quantities_and_list_costs_are_told_only_where_all_rows_have_them(filled: Ledger) -> None:
    by_category = {(*each.key, each.currency): each for each in filled.spend("category")}
    assert (by_category[("Usage", "USD")].quantity, by_category[("Usage", "USD")].unit) == (2, "Hours")
    assert (by_category[("Tax", "USD")].quantity, by_category[("Tax", "USD")].unit) == (None, None)
    assert by_category[("Usage", "EUR")].list_cost is None
    assert by_category[("Tax", "USD")].list_cost == 2


def test_only_rows_of_a_unit_count_where_one_is_asked_for(filled: Ledger) -> None:
    for minute in (0, 1):  # daily sums, single rows
        question = SpendQuestion(START, END.replace(minute=minute), ("team",), unit="Hours")
        rows = open_ledger(filled.folder).spend(question).rows
        assert [(*each.key, each.currency, each.quantity, each.rows) for each in rows] == [
            (None, "USD", 1, 1), ("core", "USD", 1, 1),
        ]  # fmt: skip


def test_daily_sums_and_single_rows_give_the_same_answer(filled: Ledger) -> None:
    for names in ((), ("service",), ("team", "category"), ("day", "tag:app")):
        ledger: CostLedger = open_ledger(filled.folder)
        whole = ledger.spend(SpendQuestion(START, END, names))
        minute_later = ledger.spend(SpendQuestion(START, END.replace(minute=1), names))
        assert whole.rows == minute_later.rows


def test_time_is_half_open_and_ends_of_data_are_told(filled: Ledger) -> None:
    ledger = open_ledger(filled.folder)
    sixth = datetime(2026, 10, 6, tzinfo=UTC)
    assert sum(each.rows for each in ledger.spend(SpendQuestion(START, sixth)).rows) == 3
    answer = ledger.spend(SpendQuestion(sixth, END))
    assert sum(each.rows for each in answer.rows) == 1
    assert answer.complete_until == datetime(2026, 10, 6, 1, tzinfo=UTC)
    assert ledger.spend(SpendQuestion(END, START)).rows == ()


@pytest.mark.parametrize("name", ["", " ", "currency", "x" * 300])
def test_what_is_no_dimension_is_refused(name: str, filled: Ledger) -> None:
    with pytest.raises(Permanent, match="split by"):
        filled.spend(name)


def test_an_empty_ledger_knows_nothing_and_a_damaged_one_says_so(ledger: Ledger, tmp_path: Path) -> None:
    assert open_ledger(ledger.folder).spend(SpendQuestion(START, END)).complete_until is None
    ledger.take(write_csv(tmp_path / "a.csv", row()))
    (ledger.folder / "catalogue.json").write_text("{")
    with pytest.raises(Permanent, match="import again"):
        ledger.spend()


def test_a_reader_survives_that_what_it_was_about_to_read_is_replaced_twice(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row()))
    reader = open_ledger(ledger.folder)
    old = reader.catalogue()
    for amount in ("2", "3"):
        ledger.take(write_csv(tmp_path / "a.csv", row(BilledCost=amount)))
    reads = iter([old])
    current = reader.catalogue
    reader.catalogue = lambda: next(reads, None) or current()  # type: ignore[method-assign]
    assert [each.billed for each in reader.spend(SpendQuestion(START, END)).rows] == [3]


def test_a_sum_in_one_currency_uses_the_rate_of_each_day_and_names_it(filled: Ledger) -> None:
    rates = ExchangeRates(
        "ecb", "ECB", (
            Rate("EUR", "USD", START.date(), Decimal("1.3")),
            Rate("EUR", "USD", START.date().replace(day=5), Decimal("1.1")),
            Rate("EUR", "USD", START.date().replace(day=6), Decimal("2")),
        ),
    )  # fmt: skip
    question = SpendQuestion(START, END, ("service",))
    table = open_ledger(filled.folder).spend(daily(question))
    found = converted(table, question, "USD", [rates])
    assert {each.key: each.billed for each in found.table.rows} == {
        ("Compute",): Decimal("3.15"), ("Storage",): Decimal("1.5"), ("shop",): Decimal("1.5"),
    }  # fmt: skip
    assert [(each.since.day, each.rate, each.cited) for each in found.used] == [(5, Decimal("1.1"), "ECB")]


def test_without_a_rate_of_every_day_there_is_no_sum(filled: Ledger) -> None:
    question = SpendQuestion(START, END)
    table = open_ledger(filled.folder).spend(daily(question))
    late = ExchangeRates("ecb", "ECB", (Rate("EUR", "USD", END.date(), Decimal(1)),))
    turned = ExchangeRates("ecb", "ECB", (Rate("USD", "EUR", START.date(), Decimal(1)),))
    for rates in (late, turned):
        found = converted(table, question, "USD", [rates])
        assert [str(each) for each in found.missing] == ["no rate from EUR to USD for 2026-10-05"]
        assert found.table.rows == ()
