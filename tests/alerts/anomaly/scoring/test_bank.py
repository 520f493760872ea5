"""Models in chunks: series come and go, models are fitted in turn and taken up again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.detector.model import Grid, Panel, Terms
from alerts.anomaly.detector.phases import phases
from alerts.anomaly.detector.utc import plain_phases
from alerts.anomaly.scoring.bank import Bank, Given, Rows, Table
from alerts.anomaly.scoring.chunk import STORED_VERSION, Mask, Misfit
from alerts.anomaly.scoring.phase_table import phase_table
from controlplane.calendar.zones import zone
from controlplane.model.anomaly import StoredModel

STEP = timedelta(hours=1)
AHEAD = 24
BEGIN = 80_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def panel_of(rows: Rows, index: int) -> Given:
    """A week of steps before an index, the same for everybody but for their rows' number."""
    count = 72
    grid = Grid(index - count, STEP, count)
    wave = np.sin(np.arange(grid.first, index) * np.pi / 12)
    values = (wave[None, :] + rows[:, None]).astype(np.float32)
    return Given(Panel(values, grid, plain_phases(Grid(grid.first, STEP, count + AHEAD))))


def bank(per_chunk: int = 3) -> Bank:
    return Bank(Terms(), per_chunk=per_chunk, threads=1)


def stored(of: Bank, digest: str = "d") -> list[StoredModel]:
    return [StoredModel("x", each.number, STORED_VERSION, digest, NOW, each.pack()) for each in of.chunks]


@settings(max_examples=8)
@given(st.lists(st.frozensets(st.integers(0, 11), max_size=9), min_size=1, max_size=5))
def test_whoever_comes_and_goes_everybody_who_is_there_has_one_model(turns: list[frozenset[int]]) -> None:
    them = bank()
    for number, there in enumerate(turns):
        table = Table(tuple(f"s{each}" if each in there else "" for each in range(12)))
        them.seat(table)
        index = BEGIN + number
        them.fit(them.due(index, 10), index, panel_of)
        keys = [key for chunk in them.chunks for key in chunk.keys]
        assert len(keys) == len(set(keys))
        assert {f"s{each}" for each in there} <= set(keys)
        assert them.unfitted == 0
        assert all(len(chunk.keys) <= 3 for chunk in them.chunks)
        them.score(np.where([each in there for each in range(12)], 1.0, np.nan).astype(np.float32), index, None)


def test_each_chunk_is_fitted_once_in_so_many_steps_and_not_all_at_once() -> None:
    them, every = bank(per_chunk=1), 6
    them.seat(Table(tuple("abc")))
    them.fit([], BEGIN, panel_of)
    fitted: dict[int, list[int]] = {}
    for index in range(BEGIN + 1, BEGIN + 14):
        due = them.due(index, every)
        for number in due:
            fitted.setdefault(number, []).append(index)
        assert len(due) <= 1
        them.fit(due, index, panel_of)
    assert sorted(fitted) == [1, 2, 3]
    assert all(np.diff([BEGIN, *steps]).max() <= every for steps in fitted.values())


def test_what_was_stored_scores_as_if_nothing_had_been() -> None:
    them = bank(per_chunk=2)
    table = Table(("a", "b", "", "c"))
    them.seat(table)
    them.fit([], BEGIN, panel_of)
    other = bank(per_chunk=2)
    assert not other.restore(stored(them), "d")
    other.seat(Table(("c", "b", "a")))  # rows of another buffer
    values = np.array([1.0, 2.0, np.nan, 9.0], dtype=np.float32)
    for index in range(BEGIN, BEGIN + 4):
        one = them.score(values, index, None)
        two = other.score(values[[3, 1, 0]], index, None)
        np.testing.assert_array_equal(one.score[[3, 1, 0]], two.score)
        np.testing.assert_array_equal(one.expected[[3, 1, 0]], two.expected)


def test_what_does_not_fit_is_told_and_its_chunk_used_again() -> None:
    them = bank(per_chunk=1)
    them.seat(Table(tuple("abc")))
    them.fit([], BEGIN, panel_of)
    one, two, three = stored(them)
    old = StoredModel("x", 2, STORED_VERSION - 1, "d", NOW, two.body)
    torn = StoredModel("x", 3, STORED_VERSION, "d", NOW, three.body[: len(three.body) // 2])
    other = bank(per_chunk=1)
    assert other.restore([one, old, torn], "d") == {Misfit.VERSION: 1, Misfit.DAMAGED: 1}
    other.seat(Table(tuple("abc")))
    assert other.unfitted == 2
    assert sorted(each.number for each in other.fit([], BEGIN + 1, panel_of)) == [2, 3]
    assert bank().restore(stored(them, "another"), "d") == {Misfit.DEFINITION: 3}


def test_garbage_is_damaged_and_nothing_else() -> None:
    bodies = [b"\0\0\0\0", b"\xff\xff\xff\xffxx", b"\0\0\0\4abcd", b"x" * 100]
    for body in bodies:
        assert bank().restore([StoredModel("x", 1, STORED_VERSION, "d", NOW, body)], "d") == {Misfit.DAMAGED: 1}


@settings(max_examples=15)
@given(st.integers(0, 400), st.integers(1, 300), st.sampled_from(["Europe/Berlin", "UTC", "Australia/Lord_Howe"]))
def test_lags_that_are_cut_out_are_those_of_the_part(start: int, count: int, name: str) -> None:
    step = timedelta(minutes=30)
    first = (datetime(2026, 10, 20, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // step
    where = zone(name)
    table = phase_table(Grid(first, step, 900), where, {})
    grid = Grid(first + start, step, count)
    assert table is phase_table(grid, where, {}, table)
    part, whole = table.part(grid), phases(grid, where, {})
    np.testing.assert_array_equal(part.weekly, whole.weekly)
    np.testing.assert_array_equal(part.daily, whole.daily)


def test_what_people_say_makes_a_model_forget_and_what_leaves_the_panel_does_not() -> None:
    them = bank()
    them.seat(Table(("a",)))
    spike = BEGIN - 10

    def given(rows: Rows, index: int, *masks: Mask) -> Given:
        panel = panel_of(rows, index).panel
        panel.values[:, spike - panel.grid.first] = 1000
        learnt = np.ones((1, panel.grid.count), dtype=bool)
        learnt[:, spike - panel.grid.first] = not any(mask.is_said for mask in masks)
        return Given(replace(panel, fitted=learnt), frozenset(masks))

    def highest() -> float:
        (chunk,) = them.chunks
        assert chunk.model is not None
        return float(chunk.model.carried().highest[0])

    old = Mask(BEGIN - 72, "deployed")
    them.fit([], BEGIN, lambda rows, index: given(rows, index, old))
    them.fit([1], BEGIN + 1, given)
    assert highest() == 1000
    them.correct()
    them.fit([1], BEGIN + 2, given)
    assert highest() == 1000
    them.fit([1], BEGIN + 3, lambda rows, index: given(rows, index, Mask(spike + 1, "said", is_said=True)))
    assert highest() < 2
