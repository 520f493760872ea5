"""The buffer of a detector: what is read when, and what is in it afterwards."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.reading.history import History
from alerts.anomaly.reading.model import NewSteps, ReadingTerms
from controlplane.ports import Permanent, Transient
from tests.alerts.anomaly.reading.source import ORIGIN, STEP, Source, moment

TERMS = ReadingTerms("q", STEP, capacity=60, most_series=3, overlap=4, delay=timedelta(minutes=1))
NAN = math.nan


def at(history: History, source: Source, step: float) -> NewSteps:
    """What the history reads when the newest complete step is this one."""
    source.seen_at = step
    return history.advance(source, moment(math.floor(step)) + TERMS.delay)


def filled(history: History, source: Source) -> History:
    while history.remaining:
        history.fill(source)
    return history


def row(history: History, name: str, first: int, end: int) -> list[float]:
    """The values of a series from `first` to `end`, not included, counted from `ORIGIN`."""
    number = history.row_of({"name": name})
    assert number is not None
    begin = ORIGIN + first - history.first
    return [float(value) for value in history.values[number, begin : begin + end - first]]


def steady(first: int, end: int, value: float = 1) -> dict[int, float]:
    return dict.fromkeys(range(first, end), value)


@pytest.fixture
def source() -> Source:
    made = Source()
    made.put("a", {step: float(step) for step in range(-100, 200)})
    return made


def test_the_first_reading_is_an_hour_and_the_weeks_before_follow_newest_first(source: Source) -> None:
    history = History(replace(TERMS, capacity=1000, most_series=25_000))  # 240 steps a piece
    first = at(history, source, 20)
    assert (first.first, first.count, first.appeared, first.new) == (ORIGIN + 9, 12, (0,), 12)
    assert not first.restarted
    pieces = [history.fill(source) for _ in range(5)]
    assert [(piece.first - ORIGIN, piece.count) for piece in pieces] == [
        (-231, 240), (-471, 240), (-711, 240), (-951, 240), (-979, 28),
    ]  # fmt: skip
    assert [piece.samples for piece in pieces] == [109, 0, 0, 0, 0]
    assert [piece.too_late for piece in pieces] == [0] * 5
    assert (history.remaining, history.fill(source).count) == (0, 0)
    assert history.values.shape == (1, 1000)
    assert row(history, "a", -101, 21) == pytest.approx([NAN, *range(-100, 21)], nan_ok=True)


def test_only_new_steps_and_a_few_before_are_read(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    new = at(history, source, 22)
    assert (new.first - ORIGIN, new.count, new.new, new.duplicates) == (21, 2, 2, 4)
    assert source.asked[-1] == (17, 22)


def test_a_step_is_read_when_it_is_complete(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    asked = len(source.asked)
    assert history.advance(source, moment(21) + timedelta(seconds=59)).count == 0
    assert len(source.asked) == asked
    assert history.advance(source, moment(21) + timedelta(seconds=60)).count == 1


def test_late_and_changed_samples_are_told_by_cell(source: Source) -> None:
    source.put("b", steady(-100, 200))
    source.put("b", {19: 5}, since=22)
    history = History(TERMS)
    at(history, source, 20)
    source.put("a", {18: 99, 20: 99})
    new = at(history, source, 22)
    assert new.late.tolist() == [[1, ORIGIN + 19]]
    assert new.changed.tolist() == [[0, ORIGIN + 18], [0, ORIGIN + 20]]
    assert row(history, "b", 18, 23) == [1, 5, 1, 1, 1]
    assert row(history, "a", 17, 23) == [17, 99, 19, 99, 21, 22]


def test_a_sample_that_is_gone_from_an_answer_stays(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    del source.samples["q"][(("name", "a"),)][20]
    at(history, source, 21)
    assert row(history, "a", 19, 22) == [19, 20, 21]


def test_samples_that_come_too_late_are_found_when_the_time_is_read_again(source: Source) -> None:
    source.put("a", {15: 7}, since=30)
    history = History(TERMS)
    at(history, source, 12)
    for step in range(13, 31):
        at(history, source, step)
    filled(history, source)
    assert math.isnan(row(history, "a", 15, 16)[0])
    history.read_again(moment(31), moment(99))
    assert history.remaining == 0  # what is to come is read anyway
    history.read_again(moment(14), moment(17))
    found = history.fill(source)
    assert (found.first - ORIGIN, found.count, found.samples, found.too_late, found.duplicates) == (14, 3, 1, 1, 2)
    assert row(history, "a", 15, 16) == [7]


def test_a_clock_that_is_set_back_changes_nothing(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    before = history.values.copy()
    assert at(history, source, 3).count == 0
    assert history.end == ORIGIN + 21
    np.testing.assert_array_equal(history.values, before)
    assert at(history, source, 21).count == 1


def test_a_clock_that_was_ahead_for_a_moment_does_no_harm(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    assert at(history, source, 1_000).is_stale
    assert history.advance(source, moment(230)).is_stale is True
    assert at(history, source, 21).count == 1


def test_an_empty_answer_is_stale_and_read_again(source: Source) -> None:
    source.put("a", steady(22, 25, NAN))
    history = History(TERMS)
    at(history, source, 21)
    for step in (22, 23, 24):
        stale = at(history, source, step)
        assert (stale.count, stale.is_stale, history.end) == (0, True, ORIGIN + 22)
    new = at(history, source, 26)
    assert (new.first - ORIGIN, new.count, new.is_stale, new.new) == (22, 5, False, 2)
    assert row(history, "a", 21, 27) == pytest.approx([21, NAN, NAN, NAN, 25, 26], nan_ok=True)


def test_a_start_without_data_is_stale(source: Source) -> None:
    history = History(TERMS)
    assert at(history, Source(), 20).is_stale
    assert (history.rows, history.end) == (0, 0)
    assert at(history, source, 20).count == 12


def test_steps_at_the_end_that_nobody_has_are_left_for_the_next_time(source: Source) -> None:
    source.put("a", {22: 22}, since=24)
    history = filled_at(source, 20)
    assert at(history, source, 22).count == 1
    assert history.end == ORIGIN + 22
    source.seen_at = 24
    new = history.advance(source, moment(22) + TERMS.delay)
    assert (new.first - ORIGIN, new.count, len(new.late)) == (22, 1, 0)


def test_an_error_changes_nothing(source: Source) -> None:
    history = History(TERMS)
    at(history, source, 20)
    remaining, before = history.remaining, history.values.copy()
    source.away = True
    for read in (lambda: at(history, source, 21), lambda: history.fill(source)):
        with pytest.raises(Transient):
            read()
    assert (history.remaining, history.end) == (remaining, ORIGIN + 21)
    np.testing.assert_array_equal(history.values, before)


def test_a_short_time_without_readings_is_read_at_once(source: Source) -> None:
    history = filled_at(source, 20)
    new = at(history, source, 50)
    assert (new.first - ORIGIN, new.count, new.restarted, history.remaining) == (21, 30, False, 0)


def test_a_long_time_without_readings_is_jumped_over_and_filled(source: Source) -> None:
    terms = replace(TERMS, capacity=100, most_series=300_000)  # 20 steps a piece
    history = filled(*started(source, 20, terms))
    new = at(history, source, 80)
    assert (new.first - ORIGIN, new.count, new.restarted) == (61, 20, False)
    assert math.isnan(row(history, "a", 60, 61)[0])
    assert row(history, "a", 61, 63) == [61, 62]
    assert history.remaining == 44
    found = history.fill(source)
    assert (found.first - ORIGIN, found.count, found.too_late) == (41, 20, 20)
    filled(history, source)
    assert row(history, "a", -19, 81) == list(range(-19, 81))


def test_a_time_longer_than_the_buffer_starts_anew(source: Source) -> None:
    source.put("b", steady(0, 30))
    history = filled_at(source, 20)
    new = at(history, source, 90)
    assert (new.restarted, new.appeared, history.rows) == (True, (0,), 1)
    assert row(filled(history, source), "a", 31, 91) == list(range(31, 91))


def test_rows_stay_until_they_are_empty_and_are_given_away_again(source: Source) -> None:
    source.put("b", steady(-100, 21))
    source.put("c", steady(90, 200))
    history = filled_at(source, 20)
    assert history.last_seen.tolist() == [ORIGIN + 20] * 2
    for step in range(21, 80):
        assert at(history, source, step).freed == ()
    assert history.last_seen.tolist() == [ORIGIN + 79, ORIGIN + 20]
    assert at(history, source, 80).freed == (1,)
    assert list(history.labels) == [{"name": "a"}, None]
    assert np.isnan(history.values[1]).all()
    for step in range(81, 90):
        assert at(history, source, step).freed == ()
    assert at(history, source, 90).appeared == (1,)
    assert list(history.labels) == [{"name": "a"}, {"name": "c"}]


def test_known_series_keep_their_rows_and_newcomers_are_dropped_and_counted(source: Source) -> None:
    for name in "bcd":
        source.put(name, steady(15, 40) if name == "c" else steady(10, 40))
    history = History(TERMS)
    new = at(history, source, 20)
    assert new.dropped == 1
    assert [labels["name"] for labels in history.labels if labels] == ["a", "b", "d"]
    source.put("0", steady(10, 40))
    assert at(history, source, 21).dropped == 2
    assert at(history, source, 22).appeared == ()


def test_far_too_many_series_are_refused(source: Source) -> None:
    for number in range(7):
        source.put(f"more{number}", steady(0, 40))
    with pytest.raises(Permanent, match="8 series"):
        at(History(TERMS), source, 20)


def test_newcomers_get_the_past_that_they_have(source: Source) -> None:
    source.put("b", steady(-100, -40, 2) | steady(25, 200, 3))
    history = filled_at(source, 20, replace(TERMS, capacity=200))
    for step in range(21, 25):
        at(history, source, step)
    assert at(history, source, 25).appeared == (1,)
    filled(history, source)
    assert row(history, "b", -41, 26) == pytest.approx([2, *[NAN] * 65, 3], nan_ok=True)


def test_for_newcomers_without_a_past_weeks_are_not_read_again(source: Source) -> None:
    source.put("b", steady(21, 200))
    source.put("c", steady(-3000, -2000) | steady(22, 200))
    history = filled_at(source, 20, replace(TERMS, capacity=8_000))
    at(history, source, 21)
    source.asked.clear()
    source.strides.clear()
    assert history.fill(source).count == 0
    assert (source.strides, history.remaining) == ([72], 0)
    at(history, source, 22)
    while history.remaining:
        history.fill(source)
    pieces = [
        last - first + 1 for (first, last), stride in zip(source.asked, source.strides, strict=True) if stride == 1
    ]
    assert sum(pieces) < 1_300
    assert row(history, "c", -3001, -1999) == pytest.approx([NAN, *[1] * 1000, NAN], nan_ok=True)


def test_where_too_many_came_and_went_newcomers_get_no_past(source: Source) -> None:
    history = filled_at(source, 20, replace(TERMS, capacity=8_000))
    for number in range(8):
        source.put(f"gone{number}", steady(-3_000, -2_000))
    source.put("b", steady(21, 200))
    at(history, source, 21)
    assert history.fill(source).warnings == ("the query has 9 series",)
    assert (history.remaining, row(history, "b", 20, 22)[1]) == (0, 1)


def test_a_piece_of_the_past_with_too_many_series_is_tried_in_halves_and_given_up(source: Source) -> None:
    for number in range(8):
        source.put(f"gone{number}", {-20: 1})
    history = started(source, 20, replace(TERMS, capacity=100))[0]
    told = []
    while history.remaining:
        told.append(history.fill(source))
    assert [(each.count, each.samples, bool(each.warnings)) for each in told] == [
        (0, 0, False), (0, 0, False), (22, 22, False), (0, 0, False), (22, 0, True), (44, 44, False),
    ]  # fmt: skip
    assert told[4].warnings == ("the query has 9 series",)


def test_series_that_are_gone_get_no_row_from_the_past(source: Source) -> None:
    source.put("gone", steady(-100, 0))
    history = filled_at(source, 20)
    assert history.labels == ({"name": "a"},)


def test_counters_become_rates_over_resets_gaps_and_the_edges_of_readings() -> None:
    source = Source()
    values = {-1: 700, 0: 1000, 1: 1300, 2: 60, 3: 360, 5: 960, 9: 3000, 10: 3000}
    source.put("a", {step: float(value) for step, value in values.items()})
    expected = [1, 1, 0.2, 1, NAN, 1, NAN, NAN, NAN, NAN, 0]
    for capacity in (4, 12):
        history = History(replace(TERMS, capacity=capacity, is_counter=True))
        for step in range(11):
            at(history, source, step)
        filled(history, source)
        first = 11 - min(capacity, 11)
        assert row(history, "a", first, 11) == pytest.approx(expected[first:], nan_ok=True)


def test_a_counter_that_ended_just_before_a_reading_is_not_there() -> None:
    source = Source()
    source.put("a", {step: 300.0 * step for step in range(30)})
    source.put("gone", {8: 1.0})
    history = History(replace(TERMS, is_counter=True))
    assert at(history, source, 20).appeared == (0,)


def test_large_counters_lose_no_digits() -> None:
    source = Source()
    source.put("a", {step: 1e14 + 300.0 * step for step in range(-5, 30)})
    history = History(replace(TERMS, is_counter=True))
    at(history, source, 20)
    assert row(history, "a", 10, 21) == [1] * 11


def test_below_the_least_denominator_there_is_no_sample_and_no_gap(source: Source) -> None:
    source.put("b", steady(-100, 100))
    source.put("a", steady(0, 100, 100) | steady(15, 18, 99), query="d")
    history = History(replace(TERMS, denominator="d", least_denominator=100))
    at(history, source, 20)
    assert row(history, "a", 14, 19) == pytest.approx([14, NAN, NAN, NAN, 18], nan_ok=True)
    assert all(math.isnan(value) for value in row(history, "b", 9, 21))
    assert history.last_seen.tolist() == [ORIGIN + 20] * 2


def test_a_denominator_without_labels_is_that_of_all_series(source: Source) -> None:
    source.put("", steady(0, 18, 100), query="d")
    history = History(replace(TERMS, denominator="d", least_denominator=100))
    at(history, source, 20)
    assert row(history, "a", 16, 21) == pytest.approx([16, 17, NAN, NAN, NAN], nan_ok=True)


def test_warnings_of_the_source_are_passed_on(source: Source) -> None:
    source.warnings = ("partial",)
    history = History(TERMS)
    assert at(history, source, 20).warnings == ("partial",)
    assert history.fill(source).warnings == ("partial",)


def test_readers_get_a_view_that_they_cannot_write(source: Source) -> None:
    history = filled_at(source, 20)
    with pytest.raises(ValueError, match="read-only"):
        history.values[0, 0] = 1
    assert history.values.base is not None
    np.testing.assert_array_equal(history.column(ORIGIN + 20), [20])
    with pytest.raises(ValueError, match="is not in"):
        history.column(ORIGIN + 21)


def started(source: Source, step: int, terms: ReadingTerms = TERMS) -> tuple[History, Source]:
    history = History(terms)
    at(history, source, step)
    return history, source


def filled_at(source: Source, step: int, terms: ReadingTerms = TERMS) -> History:
    return filled(*started(source, step, terms))


LAST = 60
_samples = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(-60, LAST)),
    st.tuples(st.integers(0, 9), st.integers(0, TERMS.overlap)),
    max_size=60,
)


@given(_samples, st.sets(st.integers(-10, LAST - 1), max_size=25), st.booleans(), st.integers(5, 40), st.data())
def test_however_samples_come_within_the_tolerance_the_buffer_is_the_same(
    samples: dict[tuple[str, int], tuple[int, int]],
    readings: set[int],
    is_counter: bool,
    capacity: int,
    data: st.DataObject,
) -> None:
    """Late by at most `overlap` steps, read at any times, the past filled at any times in between, or all at once."""
    source = Source()
    samples = samples | {("a", LAST): (4, 0)}  # so that the last step is not empty
    for (name, step), (value, late) in samples.items():
        source.put(name, {step: float(value)}, since=step + late)
    terms = replace(TERMS, capacity=capacity, is_counter=is_counter)
    history = History(terms)
    for step in sorted(readings):
        at(history, source, step)
        if data.draw(st.booleans()):
            history.fill(source)
    at(history, source, LAST)
    source.seen_at = LAST + 100
    history.read_again(moment(LAST - TERMS.overlap), moment(LAST + 1))  # late samples of the last steps
    filled(history, source)
    for labels in history.labels:
        if labels is not None:
            name = labels["name"]
            assert row(history, name, LAST + 1 - capacity, LAST + 1) == pytest.approx(
                _truth(samples, name, is_counter)[-capacity:], nan_ok=True
            )


def _truth(samples: dict[tuple[str, int], tuple[int, int]], name: str, is_counter: bool) -> list[float]:
    raw = [float(samples[name, step][0]) if (name, step) in samples else NAN for step in range(-60, LAST + 1)]
    if not is_counter:
        return raw
    found = []
    for index, value in enumerate(raw):
        back = next((back for back in (1, 2, 3) if index >= back and not math.isnan(raw[index - back])), None)
        before = raw[index - back] if back else NAN
        increase = value if value < before else value - before
        found.append(increase / (300 * back) if back else NAN)
    return found
