"""The geometry of charts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.web import charts
from slo.status import Deployment, FiringPeriod, Points, SLOHistory

START = datetime(2026, 8, 17, 12, 34, tzinfo=UTC)
STEP = timedelta(hours=3)
END = START + timedelta(days=30)


def every(step: timedelta, *values: float) -> Points:
    return tuple((START + step * number, value) for number, value in enumerate(values))


def history(budget: Points = (), sli: Points = (), **changes: object) -> SLOHistory:
    return SLOHistory(START, END, STEP, budget, sli, **changes)  # type: ignore[arg-type]


def test_a_gap_in_the_data_is_a_gap_in_the_line() -> None:
    points = (*every(STEP, 1.0, 0.9), (START + 9 * STEP, 0.5), (START + 10 * STEP, 0.5))
    line = charts.sparkline(points, START, END, STEP).line
    assert line.count("M") == 2
    assert charts.sparkline((), START, END, STEP) == charts.Lines("", "", 1000.0)


def test_zero_lies_at_the_bottom_or_above_what_was_overspent() -> None:
    assert charts.sparkline(every(STEP, 1.0, 0.5), START, END, STEP).line.startswith("M0.0 0.0L4.2 500.0")
    assert charts.sparkline(every(STEP, 1.0, -1.0), START, END, STEP).baseline == 500.0


def test_a_chart_says_what_it_shows() -> None:
    chart = charts.budget_chart(history(every(STEP, 1.0, 0.4, 0.62)))
    assert chart.description == "From 100 % to 62 % budget left, lowest 40 %, highest 100 %. No alert fired."
    assert [tick.label for tick in chart.y_ticks] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert [tick.label for tick in chart.x_ticks] == ["24 Aug", "31 Aug", "7 Sep", "14 Sep"]
    assert charts.budget_chart(history()).description == "No data for budget left in this time."


def test_the_objective_is_a_line_in_the_chart_of_good_events() -> None:
    chart = charts.sli_chart(history(sli=every(STEP, 1.0, 0.9995)), 0.999)
    assert chart.reference
    assert chart.reference.label == "objective 99.9 %"
    assert chart.reference.at == charts.TOP + charts.HEIGHT / 2


def test_marks_that_would_collide_lose_their_labels_but_not_their_story() -> None:
    page = FiringPeriod("Burn", "page", START + timedelta(days=10), START + timedelta(days=10, hours=6))
    soon = Deployment("2.41.0", START + timedelta(days=11))
    late = Deployment("2.42.0", START + timedelta(days=29))
    marks = charts.budget_chart(history(every(STEP, 1.0), firing=(page,), deployments=(late, soon))).marks
    assert [(mark.kind, mark.label, mark.anchor) for mark in marks] == [
        ("page", "page", "start"), ("deployment", "", "start"), ("deployment", "2.42.0", "end"),
    ]  # fmt: skip
    assert marks[0].width == pytest.approx(0.83, abs=0.02)
    assert marks[1].told == "deployment of 2.41.0: 2026-08-28 12:34 UTC"


@given(st.lists(st.floats(min_value=-1e6, max_value=1), min_size=1, max_size=300))
def test_every_point_lies_in_the_box(values: list[float]) -> None:
    chart = charts.budget_chart(history(every(timedelta(hours=2), *values)))
    numbers = [float(it) for it in chart.lines.line.replace("M", " ").replace("L", " ").split()]
    assert all(-0.01 <= y <= 1000.01 for y in numbers[1::2])
    assert len(chart.table) <= 60
    assert chart.table[-1][1] == values[-1]
    assert 1 <= len(chart.y_ticks) <= 6
    assert all(charts.TOP <= tick.at <= charts.TOP + charts.HEIGHT for tick in chart.y_ticks)
