"""Faulty values: each has its name, place and consequence; good rows count; nothing is lost in silence."""

import csv
import io
import random
from decimal import Decimal
from pathlib import Path

import pytest

from finops.billed.faults import BY_NAME
from finops.billed.model import Bounds
from tests.finops.billed.focus import COLUMNS, Ledger, csv_text, faults, row, write_csv

CASES: dict[str, tuple[dict[str, str], str, str]] = {
    # what is wrong: the change, the column, what is done
    "cost-missing": ({"BilledCost": ""}, "BilledCost", "quarantined"),
    "cost-not-finite": ({"BilledCost": "-Infinity"}, "BilledCost", "quarantined"),
    "cost-not-a-number": ({"BilledCost": "1,000.5"}, "BilledCost", "quarantined"),
    "cost-out-of-range": ({"BilledCost": "1e16"}, "BilledCost", "quarantined"),
    "cost-rounded": ({"BilledCost": "0.1234567890123456789"}, "BilledCost", "normalised"),
    "quantity-not-finite": ({"ConsumedQuantity": "NaN"}, "ConsumedQuantity", "emptied"),
    "quantity-not-a-number": ({"ConsumedQuantity": "1_000"}, "ConsumedQuantity", "emptied"),
    "quantity-out-of-range": ({"ConsumedQuantity": "1E+30"}, "ConsumedQuantity", "emptied"),
    "quantity-rounded": ({"ConsumedQuantity": "1e-19"}, "ConsumedQuantity", "normalised"),
    "quantity-negative": ({"ConsumedQuantity": "-1"}, "ConsumedQuantity", "emptied"),
    "time-missing": ({"ChargePeriodStart": ""}, "ChargePeriodStart", "quarantined"),
    "time-unreadable": ({"ChargePeriodStart": "yesterday"}, "ChargePeriodStart", "quarantined"),
    "time-without-zone": ({"ChargePeriodStart": "2026-10-05 03:00:00"}, "ChargePeriodStart", "normalised"),
    "time-form": ({"ChargePeriodStart": "10/05/2026 03:00:00"}, "ChargePeriodStart", "normalised"),
    "time-out-of-range": ({"ChargePeriodEnd": "9999-12-31T00:00:00Z"}, "ChargePeriodEnd", "quarantined"),
    "period-reversed": ({"ChargePeriodEnd": "2026-10-05T03:00:00Z"}, "ChargePeriodEnd", "quarantined"),
    "enum-case": ({"ChargeCategory": "usage"}, "ChargeCategory", "normalised"),
    "enum-unknown": ({"ChargeCategory": "Rebate"}, "ChargeCategory", "emptied"),
    "currency-missing": ({"BillingCurrency": ""}, "BillingCurrency", "quarantined"),
    "currency-unknown": ({"BillingCurrency": "$"}, "BillingCurrency", "quarantined"),
    "currency-mixed": ({"BillingCurrency": "EUR"}, "BillingCurrency", "normalised"),
    "null-literal": ({"RegionId": "NULL"}, "RegionId", "normalised"),
    "value-missing": ({"ServiceName": ""}, "ServiceName", "emptied"),
    "tags-unreadable": ({"Tags": "{team: core}"}, "Tags", "emptied"),
    "tag-key-spaced": ({"Tags": '{" team": "core"}'}, "Tags", "normalised"),
    "tag-conflict": ({"Tags": '{"team": "core", "Team": "edge"}'}, "Tags", "normalised"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_faulty_value_has_its_name_its_place_and_its_consequence(name: str, ledger: Ledger, tmp_path: Path) -> None:
    changes, column, done = CASES[name]
    path = write_csv(tmp_path / "costs.csv", row(), row(ResourceId="a\nb"), row(**changes))
    outcome = ledger.take(path)
    assert not outcome.refused
    assert faults(outcome)[(name, column)] == (1, done)
    partition = outcome.imported[0].partition
    quarantined = 1 if done == "quarantined" else 0
    assert (partition.rows, partition.quarantined) == (3 - quarantined, quarantined)
    found = next(each for each in partition.faults if each.fault == name)
    example = found.examples[0]
    assert (example.file, example.row, example.line) == (str(path), 3, 5)  # the second row has two lines
    assert found.ordinal == COLUMNS.index(column) + 1
    assert (example.value or "") == next(iter(changes.values()))[:80]


def test_every_fault_that_is_documented_is_tested() -> None:
    elsewhere = {"row-shape", "currency-unexpected"}
    assert set(BY_NAME) == set(CASES) | elsewhere


def test_rows_with_too_few_fields_or_broken_quotes_are_kept_apart_and_told_by_line(
    ledger: Ledger, tmp_path: Path
) -> None:
    lines = csv_text([row(), row(), row(), row()]).splitlines()
    lines[2] = "1,2,3"
    lines[3] = lines[3] + ",surplus"
    (tmp_path / "costs.csv").write_text("\n".join([*lines, ""]))
    outcome = ledger.take(tmp_path / "costs.csv")
    partition = outcome.imported[0].partition
    assert (partition.rows, partition.quarantined) == (2, 2)
    shape = next(each for each in partition.faults if each.fault == "row-shape")
    assert [(each.row, each.line) for each in shape.examples] == [(2, 3), (3, 4)]


def test_the_money_of_quarantined_rows_is_told(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "costs.csv", row(), row(), row(), row(ChargePeriodStart="", BilledCost="7.5", EffectiveCost="6"),
        row(BillingCurrency="?", BilledCost="3"),
    )  # fmt: skip
    partition = ledger.take(path).imported[0].partition
    told = {each.currency: (each.rows, each.billed, each.effective) for each in partition.quarantined_money}
    assert told == {"USD": (1, Decimal("7.5"), 6), "": (1, 3, Decimal("1.25"))}
    assert ledger.billed() == {"USD": Decimal("4.5")}


def test_too_many_quarantined_rows_refuse_the_period_as_a_whole(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(BilledCost="x"), row(BilledCost="y"))
    outcome = ledger.take(path)
    assert outcome.refused
    problem = outcome.problems[0]
    assert (problem.line, problem.column, problem.field, problem.rule) == (3, 1, "BilledCost", "cost-not-a-number")
    assert "2 of 3 rows" in problem.hint
    assert ledger.spend() == ()


def test_a_currency_that_the_source_does_not_expect_does_not_count(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(), row(BillingCurrency="EUR"))
    outcome = ledger.take(path, currencies=("USD",))
    assert faults(outcome)[("currency-unexpected", "BillingCurrency")] == (1, "quarantined")
    assert ledger.billed() == {"USD": 3}
    assert ledger.spend("resource")[0].billed == 3


def test_a_missing_effective_cost_stays_missing_and_says_so(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(EffectiveCost=""))
    money = ledger.take(path).imported[0].partition.money[0]
    assert (money.billed, money.effective, money.effective_missing) == (3, Decimal("1.25"), 1)


def test_a_negative_quantity_of_a_correction_is_right(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(ChargeClass="Correction", ConsumedQuantity="-1"))
    assert faults(ledger.take(path)) == {}
    assert ledger.spend()[0].quantity == 0


def test_times_are_read_in_every_form_that_exports_write(ledger: Ledger, tmp_path: Path) -> None:
    forms = (
        "2026-10-05T03:00:00Z", "2026-10-05T03:00Z", "2026-10-05T03:00:00.000Z", "2026-10-05T05:00:00+02:00",
        "2026-10-05 03:00:00", "2026-10-05T03:00:00.0000000Z", "20261005T030000Z", "10/05/2026 03:00:00",
        "10/5/2026 3:00:00 AM", " 2026-10-05T03:00:00Z ", "2026-10-05 03:00:00 UTC",
    )  # fmt: skip
    ledger.take(write_csv(tmp_path / "costs.csv", *(row(ChargePeriodStart=form) for form in forms)))
    assert [(each.key, each.rows) for each in ledger.spend("hour")] == [(("2026-10-05T03:00:00Z",), len(forms))]


def test_what_is_no_time_does_not_count(ledger: Ledger, tmp_path: Path) -> None:
    wrong = ("infinity", "epoch", "1759633200", "13/13/2026", "2026-02-30", "now", "0000-01-01")
    rows = [*(row() for _ in wrong), *(row(ChargePeriodStart=each) for each in wrong)]
    outcome = ledger.take(write_csv(tmp_path / "costs.csv", *rows))
    assert outcome.imported[0].partition.quarantined == len(wrong)


def test_a_byte_order_mark_crlf_and_quoted_line_breaks_are_no_faults(ledger: Ledger, tmp_path: Path) -> None:
    text = csv_text([row(ResourceId="two\r\nlines"), row()]).replace("\n", "\r\n").replace("\r\r", "\r")
    (tmp_path / "costs.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    outcome = ledger.take(tmp_path / "costs.csv")
    assert (faults(outcome), ledger.billed()) == ({}, {"USD": 3})


def test_values_are_cut_to_eighty_characters_in_reports(ledger: Ledger, tmp_path: Path) -> None:
    outcome = ledger.take(write_csv(tmp_path / "costs.csv", row(), row(BilledCost="x" * 500)))
    value = outcome.imported[0].partition.faults[0].examples[0].value
    assert value == "x" * 79 + "…"


def test_every_record_of_a_text_counts_or_is_kept_apart_and_is_told_by_its_line(tmp_path: Path) -> None:
    good = csv_text([row()]).splitlines()
    pieces = [good[1] + "\n"] * 6 + [
        "\n", good[1] + "\r\n", good[1].replace("i-1", '"a\nb"') + "\n", good[1].replace("i-1", '"a""b"') + "\n",
        "1,2\n", good[1] + ",9\n", good[1].replace("1.5,", "NaN,", 1) + "\n", " \n", "," * 20 + "\n",
    ]  # fmt: skip
    chosen = random.Random(11)
    for turn in range(12):
        text = good[0] + "\n" + "".join(chosen.choice(pieces) for _ in range(9))
        (tmp_path / f"{turn}.csv").write_bytes(text.encode())
        outcome = Ledger(tmp_path / str(turn)).take(
            tmp_path / f"{turn}.csv", bounds=Bounds(quarantined_share=Decimal(1))
        )
        parts = [each.partition for each in outcome.imported]
        records, lines = _records(text)
        if not outcome.refused:
            assert sum(each.rows + each.quarantined for each in parts) == records
        found = [each for part in parts for each in part.faults if each.fault == "cost-not-finite"]
        if parts:
            assert {each.row: each.line for one in found for each in one.examples} == lines


def _records(text: str) -> tuple[int, dict[int, int]]:
    """How many data rows Python's csv sees, and on which lines those with NaN begin."""
    reader = csv.reader(io.StringIO(text, newline=""))
    record, begins, lines = 0, 1, {}
    for fields in reader:
        if fields and fields[0] == "NaN":
            lines[record] = begins
        record += 1 if fields else 0
        begins = reader.line_num + 1
    return record - 1, lines
