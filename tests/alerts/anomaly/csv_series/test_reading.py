"""Files as people export them."""

import gzip
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.csv_series.model import Asked, CsvFile
from alerts.anomaly.csv_series.numbers import number
from alerts.anomaly.csv_series.reading import read_csv
from alerts.anomaly.csv_series.times import times

FIRST = datetime(2026, 3, 27, tzinfo=UTC).timestamp()


def read(text: str | bytes, asked: Asked | None = None) -> CsvFile:
    return read_csv("f.csv", text if isinstance(text, bytes) else text.encode(), asked or Asked())


def the_series(text: str | bytes, asked: Asked | None = None) -> list[tuple[float, float]]:
    """(minutes after the first, value) of a file with one series."""
    found = read(text, asked)
    assert not found.problems, found.problems
    (one,) = found.series
    return [((at - FIRST) / 60, value) for at, value in zip(one.seconds.tolist(), one.values.tolist(), strict=True)]


EXPECTED = [(0.0, 1.5), (5.0, 1234.5), (10.0, 3.0)]


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,value\n2026-03-27 00:00:00,1.5\n2026-03-27 00:05:00,1234.5\n2026-03-27 00:10:00,3\n",
        "Time,Load\r\n2026-03-27T00:00:00Z,1.5\r\n2026-03-27T01:05:00+01:00,1234.5\r\n2026-03-27T00:10:00.000Z,3\r\n",
        "\ufeffZeit;Wert\r\n27.03.2026 00:00;1,5\r\n27.03.2026 00:05;1.234,5\r\n27.03.2026 00:10;3\r\n",
        'date\trequests\n03/27/2026 12:00:00 AM\t1.5\n03/27/2026 12:05 AM\t"1,234.5"\n03/27/2026 12:10 AM\t3\n',
        "timestamp,value,label\n1774569600,1.5,0\n1774569900,1234.5,1\n1774570200,3,0\n",
        "label,ms,n\n1,1774569600000,1.5\n0,1774569900000,1234.5\n0,1774570200000,3\n",
        "ns|v\n1774569600000000000|1.5\n1774569900000000000|1234.5\n1774570200000000000|3\n",
        "2026-03-27 00:00:00,1.5\n2026-03-27 00:05:00,1234.5\n2026-03-27 00:10:00,3\n",
        "sep=;\ntimestamp;value\n2026/03/27 00:00;1.5\n2026/03/27 0:05;1234.5\n2026/03/27 00:10;3\n",
        "day,clock,x1\n2026-03-27,00:00,1.5\n2026-03-27,00:05,1234.5\n2026-03-27,00:10,3\n".replace(
            "day,clock", "date,time"
        ),
        "#group,false\n#default,_result\n\n,_time,_value\n,2026-03-27T00:00:00Z,1.5\n,2026-03-27T00:05:00Z,1234.5\n"
        ",_time,_value\n,2026-03-27T00:10:00Z,3\n",
        "t,is_anomaly,value\n20260327000000,1,1.5\n20260327000500,0,1234.5\n20260327001000,0,3\n",
        'when,share\n"Mar 27, 2026, 12:00 AM",1.5%\n"Mar 27, 2026, 12:05 AM",1234.5%\n"Mar 27, 2026, 12:10 AM",3%\n',
        'Date,Cost ($)\n2026-03-27 00:00,$1.50\n2026-03-27 00:05,"$1,234.50"\n2026-03-27 00:10,USD 3.00\n',
        "Datum;Kosten\n27.03.2026 00:00;1,50 €\n27.03.2026 00:05;1.234,50 €\n27.03.2026 00:10;3,00 EUR\n",
        'a,b\n"Fri, 27 Mar 2026 00:00:00 GMT",1.5\n"Fri, 27 Mar 2026 00:05:00 GMT",1234.5\n27-Mar-2026 00:10,3\n',
    ],
)
def test_what_people_export_is_read(text: str) -> None:
    assert the_series(text) == EXPECTED


def test_bytes_may_be_packed_or_of_another_encoding() -> None:
    text = "timestamp,value\n2026-03-27 00:00:00,1.5\n2026-03-27 00:05:00,1234.5\n2026-03-27 00:10:00,3\n"
    for content in (
        gzip.compress(text.encode()),
        text.replace(",", "\t").encode("utf-16"),
        text.replace("value", "Temperatur °C").encode("cp1252"),
    ):
        assert the_series(content) == EXPECTED


def test_missing_values_are_missing_and_not_zero() -> None:
    rows = "".join(f"{1774569600 + 60 * at},{cell}\n" for at, cell in enumerate(["1", "", "NaN", "null", "inf", " 2 "]))
    values = [value for _, value in the_series(f"timestamp,value\n{rows}")]
    assert np.array_equal(values, [1, np.nan, np.nan, np.nan, np.nan, 2], equal_nan=True)


def test_a_label_is_never_the_value() -> None:
    found = read("timestamp,anomaly,label\n1774569600,0,1\n1774569900,1,0\n")
    assert [each.message for each in found.problems] == ["no column of numbers"]
    assert read("timestamp,label\n1774569600,5\n1774569900,6\n", Asked(values=("label",))).value_columns == ("label",)


def test_series_are_told_apart_by_columns_or_are_columns() -> None:
    wide = read('Time,"{job=""a""}",b,note\n2026-03-27 00:00:00,1,,x\n2026-03-27 00:05:00,2,4,y\n')
    assert [each.name for each in wide.series] == ['{job="a"}', "b"]
    long = "timestamp,value,label,KPI ID\n" + "".join(
        f"{1774569600 + 60 * at},{at},0,{k}\n" for k in "qp" for at in range(4)
    )
    assert [(each.name, each.rows.tolist()) for each in read(long).series] == [("q", [0, 1, 2, 3]), ("p", [4, 5, 6, 7])]
    unnamed = "ts,where,value\n" + "".join(f"{1774569600 + 60 * at},{k},{at}\n" for at in range(4) for k in ("x", "y"))
    assert [(each.name, each.rows.tolist()) for each in read(unnamed).series] == [
        ("x", [0, 2, 4, 6]),
        ("y", [1, 3, 5, 7]),
    ]
    status = "ts,state,value\n" + "".join(
        f"{1774569600 + 60 * at},{'up' if at % 2 else 'down'},{at}\n" for at in range(8)
    )
    assert [each.name for each in read(status).series] == [""]


def test_columns_are_chosen_by_name_or_number() -> None:
    text = "a,b,c\n1774569600,2026-03-27,7\n1774569660,2026-03-28,8\n"
    assert read(text, Asked(time="B", values=("3",))).series[0].values.tolist() == [7, 8]
    (problem,) = read(text, Asked(values=("d",))).problems
    assert (problem.message, problem.hint) == ("no column is named `d`", "--value: there is a, b, c")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "f.csv:1:1 is empty"),
        (b"timestamp,value\n", "f.csv:1:1 has a header and no rows"),
        (b"\0\1\2", "f.csv:1:1 is no text: CSV is expected, plain or packed with gzip"),
        (b"PK\x03\x04zip", "f.csv:1:1 is a zip archive or a workbook: CSV is expected, plain or packed with gzip"),
        (gzip.compress(b"timestamp,value\n" * 99, mtime=0)[:-20], "f.csv:1:1 is packed with gzip, and damaged"),
        (b"timestamp,value\nsoon,1\nlater,2\n", "f.csv:2:1 `soon` in column timestamp is no time"),
        (b"x,timestamp,value\nq,1774569600,much\nq,1774569660,more\n", "f.csv:1:1 no column of numbers"),
        (b"a,b\nfoo,1\nbar,2\n", "f.csv:1:1 no column of times"),
        (b"time,value\n" + b"1" * 150_000, "f.csv:1:1 is no CSV: field larger than field limit (131072)"),
        (b'time,value\n"' + b"1" * 150_000, "f.csv:1:1 is no CSV: field larger than field limit (131072)"),
        (b"time" + b",c" * 80_000 + b"\n", "f.csv:1:1 has 80,001 columns, at most 2,000 are read"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_was_expected(content: bytes, told: str) -> None:
    (problem,) = read(content).problems
    assert f"{problem.path}:{problem.line}:{problem.column} {problem.message}" == told


def test_single_cells_that_cannot_be_read_are_told_with_their_place_and_cost_no_other() -> None:
    rows = [
        "2026-03-27 00:00:00,1",
        "yesterday,2",
        '"2026-03-27 00:02:00",many',
        *(f"2026-03-27 00:0{at}:00,{at}" for at in range(3, 9)),
    ]
    found = read("timestamp,value\n" + "\n".join(rows))
    assert [(each.line, each.column, each.severity.value) for each in found.problems] == [
        (3, 1, "warning"),
        (4, 23, "warning"),
    ]
    (one,) = found.series
    assert np.isfinite(one.seconds).sum() == 8
    assert np.isfinite(one.values).sum() == 8


def test_clock_times_are_those_of_the_zone() -> None:
    berlin = Asked(zone="Europe/Berlin")
    autumn = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]  # clocks go back at 3
    rows = "".join(f"2026-10-25 {clock}:00,1\n" for clock in autumn)
    (one,) = read(f"timestamp,value\n{rows}", berlin).series
    assert np.diff(one.seconds).tolist() == [1800] * 5
    spring = "".join(f"2026-03-29 {clock}:00,1\n" for clock in ("01:00", "01:30", "02:00", "02:30", "03:00"))
    found = read(f"timestamp,value\n{spring}", berlin)
    assert found.notes == ("times are UTC: some lie in the hour that Europe/Berlin leaves out in spring",)
    assert np.diff(found.series[0].seconds).tolist() == [1800] * 4


@given(st.integers(0, 4_000_000_000), st.sampled_from([1, 1_000, 1_000_000, 1_000_000_000]))
def test_epochs_are_read_in_any_unit_and_iso_in_any_zone(seconds: int, unit: int) -> None:
    if seconds > 200_000_000:
        assert times([str(seconds * unit)]).seconds.tolist() == [seconds]
    at = datetime.fromtimestamp(seconds, UTC)
    assert times([at.isoformat()]).seconds.tolist() == [seconds]
    assert times([f"{at:%Y-%m-%d %H:%M:%S} +0000 UTC"]).seconds.tolist() == [seconds]


@given(st.text(max_size=40))
def test_no_text_makes_readers_of_cells_fail(text: str) -> None:
    number(text, decimal_comma=True)
    times([text, text])
    read(f"timestamp,value\n{text}\n1774569600,1\n")


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(content: bytes) -> None:
    read(content)
