"""Reports as text, JSON and CSV: goldens, and what must hold of all of them."""

import csv
import io
import json
import os
import unicodedata
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.dora.model import Estimate, Frequency
from exporters.dora.report import numbers
from exporters.dora.report.model import Behind, Report
from exporters.dora.report.terminal import report_text
from exporters.dora.report.views import CSV_COLUMNS, csv_rows, report_data
from flyball.cli.cost.tables import csv_text
from tests.exporters.dora.hand_made import busy, estimate, nothing, quiet, report

GOLDEN = Path(__file__).parent / "golden"
ONE = report(busy(), before=busy(factor=2))
SEVERAL = report(busy(), quiet(), nothing())
REPORTS = {
    "one": ONE,
    "several": SEVERAL,
    "nothing": report(nothing(), edition=""),
    "behind": replace(report(quiet()), behind=Behind(12, 1)),
}


def is_golden(name: str, text: str) -> bool:
    path = GOLDEN / name
    if os.environ.get("FLYBALL_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return path.read_bytes().decode() == text


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_in_a_terminal_is_golden(name: str) -> None:
    assert is_golden(f"{name}.txt", f"{report_text(REPORTS[name])}\n")


def test_a_report_as_json_is_golden() -> None:
    assert is_golden("several.json", json.dumps(report_data(SEVERAL), indent=2, ensure_ascii=False) + "\n")


def test_a_report_as_csv_is_golden() -> None:
    assert is_golden("one.csv", csv_text(CSV_COLUMNS, csv_rows(ONE)))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_fits_80_columns(name: str) -> None:
    assert max(map(len, report_text(REPORTS[name]).splitlines())) <= 80


def test_what_is_not_known_is_null_and_has_no_row() -> None:
    scope = report_data(report(nothing()))["scopes"][0]  # type: ignore[index, call-overload]
    assert scope["change_fail_rate"] == {"value": None, "samples": 0, "lower_95": None, "upper_95": None}
    assert scope["change_lead_time"]["median"]["value"] is None
    assert scope["clusters"]["overall"] is None
    assert list(csv_rows(report(nothing()))) == []


def test_the_time_before_has_rows_of_its_own() -> None:
    lead = [row for row in csv_rows(ONE) if (row["metric"], row["part"]) == ("change_lead_time", "")]
    assert [row["value"] for row in lead if row["statistic"] == "median"] == ["100800", "201600"]


@given(st.text(max_size=12), st.sampled_from("=+-@\t\r"))
def test_no_name_becomes_a_formula(name: str, sign: str) -> None:
    rows = csv_rows(report(busy(service=sign + name)))
    for row in csv.DictReader(io.StringIO(csv_text(CSV_COLUMNS, rows), newline="")):
        cell = row["service"]
        assert not cell.startswith(("=", "@", "\t", "\r"))
        assert not cell.startswith(("+", "-")) or cell.lstrip("+-").replace(".", "", 1).isdigit()


@given(st.text())
def test_no_name_moves_the_cursor(name: str) -> None:
    text = report_text(report(busy(service=f"x{name}"), quiet()))
    assert not {each for each in text if each != "\n" and unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (42, "42 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "1 h"),
        (15120, "4.2 h"),
        (36000, "10 h"),
        (86399, "1 d"),
        (10_000_000, "116 d"),
    ],
)
def test_a_time_is_said_in_one_unit(seconds: int, words: str) -> None:
    assert numbers.brief(Decimal(seconds)) == words


def test_how_often_is_said_in_the_unit_that_fits() -> None:
    said = [numbers.frequency(Decimal(each)) for each in ("3", "0.5", "0.1")]
    assert said == ["3 a day", "3.5 a week", "3 a month"]
    assert numbers.frequency_interval(estimate("0.5", 45, "0.1", "1.2")) == "0.7–8.4 a week"
    assert numbers.frequency(None) == "no data"
    assert numbers.time_interval(Estimate(Decimal(3), 1)) == ""


def test_a_gap_before_the_first_known_thing_is_told() -> None:
    assert "Nothing is known before 2026-10-01 00:00 UTC" in report_text(report(quiet()))
    assert "Nothing is known before" not in report_text(report(busy()))


def test_bursts_and_releases_are_told() -> None:
    text = report_text(report(busy()))
    assert "120 releases" in text
    assert "21 % of them on the busiest tenth of days" in text
    even = Frequency(estimate(1, 90), 90, 90, 90, 90, timedelta(days=1), timedelta(days=1), Decimal("0.1"))
    assert "release" not in report_text(report(replace(busy(), frequency=even)))


def test_a_report_of_nothing_says_how_to_begin() -> None:
    text = report_text(Report(**{**_fields(report(nothing())), "rows": ()}))
    assert "flyball event send" in text
    assert "docs/how-to/collect-deliveries.md" in text
    assert "--from 2026-03-02" in report_text(report(replace(nothing(), coverage_from=busy().coverage_from)))


def _fields(it: Report) -> dict[str, object]:
    return {name: getattr(it, name) for name in it.__dataclass_fields__}
