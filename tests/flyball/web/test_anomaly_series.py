"""Series by their labels, in addresses, in the store and in Prometheus; and their charts."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.web.anomaly_charts import Course, Happening, band_chart
from flyball.web.anomaly_series import labels_in, labels_of, selector, series_name, series_text

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
LABELS = st.dictionaries(NAMES, st.text(max_size=12), max_size=4)
START = datetime(2026, 9, 16, tzinfo=UTC)
STEP = timedelta(minutes=5)


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_a_series_reads_back_as_it_was_written(labels: dict[str, str]) -> None:
    assert labels_in(series_text(labels)) == labels


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_labels_or_none(text: str) -> None:
    for given_text in (text, f"{{{text}}}"):
        found = labels_in(given_text)
        assert found is None or labels_in(series_text(found)) == found


def test_a_series_is_asked_for_by_all_of_its_labels_and_by_those_that_it_has_not() -> None:
    asked = selector("d", {"region": "eu", "group": "1"}, ["service", "region", "instance", "group"])
    assert asked == 'detector="d",group="1",region="eu",exported_instance="",service=""'
    assert selector("d", {"output": 'a"b', "job": "x"}) == 'detector="d",exported_job="x",exported_output="a\\"b"'


def test_labels_of_the_scrape_are_none_of_the_series() -> None:
    told = {
        "__name__": "y", "detector": "d", "instance": "1:1", "job": "flyball", "exported_job": "x",
        "exported_output": "b", "exported_by": "c", "group": "1",
    }  # fmt: skip
    assert labels_of(told) == {"job": "x", "output": "b", "exported_by": "c", "group": "1"}


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({}, "the only series"),
        ({"group": "1"}, "all of them together"),
        ({"service": "checkout"}, "checkout"),
        ({"region": "eu", "group": "1"}, "eu (group)"),
        ({"service": "a", "region": "eu"}, "region eu, service a"),
    ],
)
def test_a_series_is_called_by_its_labels(labels: dict[str, str], name: str) -> None:
    assert series_name(labels) == name


def course(values: list[float | None], **columns: list[float | None]) -> Course:
    count = len(values)
    given_columns = {"expected": [10.0] * count, "lower": [5.0] * count, "upper": [15.0] * count} | columns
    score = columns.get("score") or [None if it is None else abs(it - 10) / 5 for it in values]
    at = tuple(START + STEP * place for place in range(count))
    rest = (tuple(given_columns[name]) for name in ("expected", "lower", "upper"))
    return Course(STEP, at, tuple(values), *rest, tuple(score))


def test_what_is_outside_of_the_band_is_a_line_of_its_own_with_the_way_there() -> None:
    chart = band_chart(course([10, 11, 30, 31, 10, 10, -3]), start=START, end=START + 6 * STEP)
    kinds = [stroke.kind for stroke in chart.lines]
    assert kinds == ["usual", "value", "unusual", "unusual"]
    assert chart.lines[2].path.count("L") == 2
    assert chart.description.endswith("3 of 7 values are outside of what is usual.")


def test_a_gap_is_a_gap_in_line_and_band() -> None:
    chart = band_chart(
        course([10, 11, None, None, 12, 9], lower=[5, 5, None, None, 5, 5], upper=[15, 15, None, None, 15, 15]),
        start=START, end=START + 5 * STEP,
    )  # fmt: skip
    (value,) = [stroke.path for stroke in chart.lines if stroke.kind == "value"]
    assert value.count("M") == 2
    assert len(chart.areas) == 2


def test_an_edge_that_is_infinite_is_the_edge_of_the_plot() -> None:
    chart = band_chart(course([10, 11], lower=[-math.inf] * 2), start=START, end=START + STEP)
    (band,) = chart.areas
    assert band.path.endswith(" 1000.0L0.0 1000.0Z")
    assert [said for said, _ in chart.rows[0][1]] == ["10", "10", "any", "15", "0"]


def test_nothing_known_is_nothing_drawn() -> None:
    assert band_chart(course([None, None]), start=START, end=START + STEP).is_empty


def test_what_goes_on_is_marked_to_the_end_and_what_is_outside_of_the_time_is_not() -> None:
    happenings = [
        Happening("anomaly", START + STEP, None, "anomaly", "goes on"),
        Happening("shift", START + 2 * STEP, None, "new level", "a moment"),
        Happening("anomaly", START - 3 * STEP, START - 2 * STEP, "anomaly", "before"),
        Happening("deployment", START + 9 * STEP, None, "1.2", "after"),
    ]
    chart = band_chart(course([10.0] * 5), happenings, start=START, end=START + 4 * STEP)
    assert [(mark.kind, mark.x, mark.width) for mark in chart.marks] == [("anomaly", 25.0, 75.0), ("shift", 50.0, 0.0)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, width=32)), min_size=1, max_size=40))
def test_any_course_is_drawn_inside_of_the_plot(values: list[float | None]) -> None:
    chart = band_chart(course(values), start=START, end=START + STEP * len(values))
    for stroke in (*chart.areas, *chart.lines):
        for corner in stroke.path.replace("Z", "").replace("M", "L").split("L")[1:]:
            x, y = map(float, corner.split())
            assert -1 <= x <= 1003
            assert -1 <= y <= 1001
