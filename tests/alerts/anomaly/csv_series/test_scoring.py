"""Grids, and the way back to the rows."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.csv_series.model import Asked, Cells
from alerts.anomaly.csv_series.panels import OffGrid, Placed, placed
from alerts.anomaly.csv_series.reading import read_csv
from alerts.anomaly.csv_series.scoring import Question, Scored, score_file
from alerts.anomaly.csv_series.steps import sensible
from alerts.anomaly.csv_series.telling import spans
from alerts.anomaly.csv_series.told import csv_text, json_text, table
from alerts.anomaly.detector.model import Terms
from alerts.anomaly.detector.utc import plain_phases
from alerts.anomaly.model import Opening, Values

FIRST = 1_774_569_600


def on_grid(seconds: list[float], values: list[float], *, is_counter: bool = False) -> Placed:
    cells = Cells("", np.arange(len(seconds)), np.array(seconds, dtype=float), np.array(values, dtype=float))
    found = placed(cells, None, is_counter=is_counter)
    assert isinstance(found, Placed)
    return found


@pytest.mark.parametrize(
    ("median", "step"),
    [(60, 60), (61, 60), (58.4, 60), (45, 45), (420, 600), (299, 300), (0.2, 1), (86_400, 86_400), (90_000, 86_400)],
)
def test_steps_are_lengths_of_which_a_day_is_a_multiple(median: float, step: int) -> None:
    assert sensible(median) == step


def test_rows_further_apart_than_a_day_have_no_step() -> None:
    cells = Cells("", np.arange(3), np.array([0.0, 604_800, 1_209_600]), np.ones(3))
    assert isinstance(placed(cells, None, is_counter=False), OffGrid)


def test_rows_that_jitter_keep_a_step_each() -> None:
    jitter = np.random.default_rng(3).uniform(-12, 12, 200)
    found = on_grid([FIRST + 37 + 60 * at + float(jitter[at]) for at in range(200)], list(range(200)))
    assert found.steps.tolist() == list(range(200))
    assert found.scored.all()


def test_unsorted_rows_repeated_rows_and_gaps_find_their_steps() -> None:
    found = on_grid([FIRST + 60 * at for at in (3, 0, 1, 1, 9, 4, 6)], [3, 0, 1, 2, 9, 4, 6])
    assert found.steps.tolist() == [3, 0, 1, 1, 9, 4, 6]  # the median distance is two steps
    expected = [0, 1.5, np.nan, 3, 4, np.nan, 6, np.nan, np.nan, 9]
    assert np.array_equal(found.values, np.array(expected, dtype=np.float32), equal_nan=True)
    assert found.scored.all()  # those of the same time are known together


def test_a_step_of_several_rows_is_their_mean_and_is_judged_at_the_last_of_them() -> None:
    cells = Cells("", np.arange(12), np.arange(12.0) * 10 + FIRST, np.arange(12.0))
    found = placed(cells, timedelta(minutes=1), is_counter=False)
    assert isinstance(found, Placed)
    assert found.steps.tolist() == [0] * 6 + [1] * 6
    assert found.values.tolist() == [2.5, 8.5]
    assert np.flatnonzero(found.scored).tolist() == [5, 11]
    assert found.shared == 10


def test_a_counter_is_its_rate_and_a_reset_is_no_fall() -> None:
    found = on_grid([FIRST + 60 * at for at in range(5)], [100, 160, 220, 30, 90], is_counter=True)
    assert np.array_equal(found.values, np.array([np.nan, 1, 1, 0.5, 1], dtype=np.float32), equal_nan=True)


def excess_of(hits: list[float | None]) -> np.ndarray:
    return np.array([np.nan if each is None else each for each in hits])


def test_an_anomaly_opens_above_one_and_closes_when_it_was_quiet_for_long_enough() -> None:
    loud = excess_of([0, 1.2, 0.8, None, 3, 0.1, 0.1, None, 0.7, 1.5, 0, 0, 0, 0.9, 2])
    found = spans(loud, Opening(close_after=3))
    assert [(each.first, each.last, each.worst) for each in found] == [(1, 9, 4), (14, 14, 14)]
    assert [(each.first, each.last) for each in spans(loud, Opening(steps=2, of=3, close_after=1))] == [(1, 4)]


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 3)), max_size=60),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 4),
)
def test_spans_are_what_a_walk_over_every_step_finds(
    hits: list[float | None], steps: int, more: int, close_after: int
) -> None:
    opening = Opening(steps, steps + more, close_after)
    found = [(each.first, each.last) for each in spans(excess_of(hits), opening)]
    assert found == _walked(hits, opening)


def _walked(hits: list[float | None], opening: Opening) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    window: list[int] = []
    is_open, quiet, scored = False, 0, [(at, hit) for at, hit in enumerate(hits) if hit is not None]
    for place, (at, hit) in enumerate(scored):
        quiet = quiet + 1 if hit < 0.6 else 0
        if is_open and quiet >= opening.close_after:
            is_open, window = False, []
        if hit > 1 and is_open:
            found[-1] = (found[-1][0], at)
        elif hit > 1:
            window = [each for each in window if place - each < opening.of] + [place]
            if len(window) >= opening.steps:
                is_open = True
                found.append((scored[window[0]][0], at))
    return found


def kpi(days: int, seed: int = 1) -> str:
    """Half-hourly, with a spike in the last day."""
    draw = np.random.default_rng(seed)
    at = np.arange(days * 48)
    values = 100 + 30 * np.sin(2 * np.pi * at / 48) + draw.normal(0, 1, len(at))
    values[-20:-18] += 300
    rows = [f"{FIRST + 1800 * step},{value:.3f},0" for step, value in zip(at.tolist(), values.tolist(), strict=True)]
    return "timestamp,value,label\n" + "\n".join(rows) + "\n"


def scored(text: str, values: Values = Values.GAUGE) -> tuple[object, list[Scored]]:
    file = read_csv("kpi.csv", text.encode(), Asked())
    question = Question(Terms(values=values))
    found = list(score_file(file, question, None, lambda grid: (plain_phases(grid), None)))
    return file, [each for each in found if isinstance(each, Scored)]


def as_csv(text: str) -> list[list[str]]:
    file, found = scored(text)
    return [line.split(",") for line in "".join(csv_text(file, found, only_anomalies=False)).splitlines()]  # type: ignore[arg-type]


def test_every_row_is_printed_in_its_place_whatever_is_wrong_with_it() -> None:
    lines = kpi(4).splitlines()
    lines[30], lines[31] = lines[31], lines[30]
    lines[50] = lines[50].replace(lines[50].split(",")[1], "")
    lines.insert(60, "soon,1,0")
    printed = as_csv("\n".join(lines))
    assert [row[0] for row in printed[1:]] == [line.split(",")[0] for line in lines[1:]]
    assert printed[0][:3] == ["timestamp", "value", "point"]
    for number in (50, 60):
        assert printed[number][2:10] == [""] * 8
        assert printed[number][10] == "0"
    assert [number for number, row in enumerate(printed) if row[10] == "1"] == [len(lines) - 20, len(lines) - 19]


@settings(max_examples=4)
@given(st.integers(50, 190))
def test_rows_are_judged_by_earlier_rows_alone(cut: int) -> None:
    lines = kpi(4, seed=2).splitlines()
    whole = as_csv("\n".join(lines))
    assert as_csv("\n".join(lines[: cut + 1])) == whole[: cut + 1]


def test_a_table_and_json_tell_the_same_anomaly() -> None:
    import json

    file, found = scored(kpi(4))
    text = table(file, found, most=5, zone="Europe/Berlin")  # type: ignore[arg-type]
    assert "2026-03-30 16:00+0200  1 h " in text
    assert text.endswith("kpi.csv: 1 anomaly, 2 anomalous steps in 192 rows of 1 series over 4 d.\n")
    told = json.loads("".join(json_text(file, found, only_anomalies=True)))  # type: ignore[arg-type]
    (series,) = told["series"]
    assert (series["step_seconds"], series["anomalies"][0]["start"]) == (1800, "2026-03-30T14:00:00Z")
    assert [each["is_anomaly"] for each in series["points"]] == [True, True]


def test_a_counter_is_scored_as_the_rate_that_it_stands_for() -> None:
    rows = [line.split(",") for line in kpi(4).splitlines()[1:]]
    total = np.cumsum([1800 * float(value) for _, value, _ in rows])
    counter = "\n".join(["time,bytes", *(f"{at},{sum_:.0f}" for (at, _, _), sum_ in zip(rows, total, strict=True))])
    _, (of_rates,) = scored("\n".join(["time,bytes", *(f"{at},{value}" for at, value, _ in rows[1:])]))
    _, (of_counter,) = scored(counter, Values.COUNTER)
    assert of_counter.anomalous().sum() == 2
    expected = of_counter.scores.expected[0, 1:]  # of a grid that begins a step earlier
    np.testing.assert_allclose(expected, of_rates.scores.expected[0], rtol=5e-3)
