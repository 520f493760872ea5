"""An anomaly opens after k of n anomalous steps and closes after some quiet ones; what is missing moves nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.episodes.advancing import advance, hushed
from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, Rules, What, rules_of
from alerts.anomaly.episodes.state import State, blank
from alerts.anomaly.model import Direction, Maturity, Output
from tests.alerts.anomaly.episodes.declaring import a_detector
from tests.alerts.anomaly.episodes.stepping import NAN, a_step, run, run_on, short, told

ONE = Rules(close_after=2)
TWO_OF_THREE = Rules(steps=2, of=3, close_after=2)
OPENED, CLOSED, WORSENED = What.OPENED, What.CLOSED, What.WORSENED
SCORES = st.sampled_from([NAN, 0.0, 0.59, 0.6, 0.8, 1.0, 1.01, 1.5, 4.0])
SOME_RULES = st.builds(
    lambda steps, more, close: Rules(steps=steps, of=steps + more, close_after=close),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(1, 4),
)


def test_one_step_opens_and_some_quiet_ones_close_from_the_first_of_them_on() -> None:
    assert short(run([0, 1.2, 0.5, 0.5, 0], ONE)) == [(OPENED, 101, 101, None), (CLOSED, 103, 101, 102)]


def test_the_threshold_itself_is_not_anomalous_and_sixty_percent_of_it_not_quiet() -> None:
    assert run([1.0] * 9, ONE) == []
    assert short(run([1.2, *[0.6] * 9], ONE)) == [(OPENED, 100, 100, None)]


def test_one_step_that_is_not_quiet_makes_the_count_begin_anew() -> None:
    assert short(run([1.2, 0.1, 0.7, 0.1, 0.1], ONE)) == [(OPENED, 100, 100, None), (CLOSED, 104, 100, 103)]


def test_two_of_three_open_and_it_started_with_the_first_of_them() -> None:
    assert run([1.2, 0, 0, 1.2, 0, 0], TWO_OF_THREE) == []
    assert short(run([1.2, 0, 1.2], TWO_OF_THREE)) == [(OPENED, 102, 100, None)]


def test_steps_without_a_score_neither_open_nor_close_nor_count() -> None:
    assert short(run([1.2, NAN, NAN, 0, NAN, 1.2], TWO_OF_THREE)) == [(OPENED, 105, 100, None)]
    assert short(run([1.2, 0, NAN, NAN, 0], ONE)) == [(OPENED, 100, 100, None), (CLOSED, 104, 100, 101)]


def test_steps_that_are_left_out_are_as_those_without_a_score() -> None:
    state, _ = run_on([1.2, 0], TWO_OF_THREE)
    assert short(run([1.2], TWO_OF_THREE, first=150, state=state)) == [(OPENED, 150, 100, None)]
    state, _ = run_on([1.2, 0], TWO_OF_THREE)
    found = run([1.2], TWO_OF_THREE, first=200, state=state)  # beyond the 64 steps that are remembered
    assert short(found) == [(OPENED, 200, 200, None)]


def test_figures_are_those_of_the_worst_step_also_before_it_opened() -> None:
    (opened,) = run([3, 0, 1.5], TWO_OF_THREE)
    assert (opened.worst_at, opened.score, opened.value) == (100, 3.0, 13.0)


def test_the_worst_step_of_an_anomaly_is_one_of_its_own() -> None:
    rules = Rules(steps=3, of=4, close_after=2)
    (opened,) = run([4, 0, 1.5, 0, 1.2, 1.25], rules)
    assert (opened.started, opened.worst_at, opened.score) == (102, 105, 1.25)


def test_it_is_told_again_only_when_it_is_a_quarter_worse_and_ends_with_the_worst() -> None:
    found = run([2, 2.1, 2.4, 2.5, 2.75, 1, 0, 0], ONE)
    assert [(each.what, each.at, each.score) for each in found] == [
        (OPENED, 100, 2.0),
        (WORSENED, 103, 2.5),
        (CLOSED, 107, 2.75),
    ]
    assert found[-1].reason is Reason.RECOVERED


def test_a_score_without_bounds_is_told_once() -> None:
    (opened,) = run([float("inf")] * 5, ONE)
    assert (opened.what, opened.score) == (OPENED, 1e6)


def test_after_it_closed_it_takes_all_steps_again() -> None:
    rules = Rules(steps=2, of=9, close_after=1)
    assert short(run([2, 2, 0, 2, 0, 2], rules)) == [
        (OPENED, 101, 100, None),
        (CLOSED, 102, 100, 102),
        (OPENED, 105, 103, None),
    ]


def test_a_day_without_a_score_ends_it_as_unknown_where_it_was_last_known() -> None:
    rules = Rules(per_day=10, close_after=2)
    found = run([1.2, 1.2, *[NAN] * 30], rules)
    assert short(found) == [(OPENED, 100, 100, None), (CLOSED, 112, 100, 102)]
    assert found[-1].reason is Reason.UNKNOWN
    assert len(run([1.2, 1.2, *[NAN] * 10], rules)) == 1


def test_a_step_after_a_day_that_was_not_read_opens_another_one() -> None:
    rules = Rules(per_day=10)
    state, _ = run_on([1.2], rules)
    found = run([1.2], rules, first=300, state=state)
    assert sorted(short(found), key=str) == sorted([(CLOSED, 300, 100, 101), (OPENED, 300, 300, None)], key=str)


def test_hits_from_before_a_day_without_a_score_do_not_count() -> None:
    rules = Rules(steps=2, of=3, per_day=10)
    assert run([1.2, *[NAN] * 11, 1.2], rules) == []
    assert short(run([1.2, *[NAN] * 9, 1.2], rules)) == [(OPENED, 110, 100, None)]


@pytest.mark.parametrize("maturity", [Maturity.COLD, Maturity.LEVEL])
def test_nothing_opens_before_there_is_a_day_to_compare_with(maturity: Maturity) -> None:
    young = np.array([maturity], dtype=np.uint8)
    step = a_step(1, [9], maturity=young, shifted=np.array([True]))
    assert advance(blank(["a"]), step, ONE)[1] == []


def test_what_is_not_admitted_opens_nothing_and_is_not_quiet_either() -> None:
    not_admitted = {"admitted": np.array([False])}
    assert advance(blank(["a"]), a_step(1, [9], **not_admitted), ONE)[1] == []
    state, _ = run_on([1.2], ONE)
    for index in range(101, 109):
        state, changes = advance(state, a_step(index, [1.2], **not_admitted), ONE)
        assert changes == []
    assert state.open_of(EpisodeKind.POINT).all()


def test_outputs_open_episodes_of_their_own_if_the_detector_says_so() -> None:
    both = replace(ONE, outputs=(Output.POINT, Output.SUSTAINED))
    step = a_step(1, [1.2, 0], sustained_scores=np.array([0, 3.0]))
    state, changes = advance(blank(["a", "b"]), step, both)
    assert [(each.kind, each.row, each.score) for each in changes] == [
        (EpisodeKind.POINT, 0, pytest.approx(1.2)),
        (EpisodeKind.SUSTAINED, 1, 3.0),
    ]
    assert state.open_of(EpisodeKind.POINT).tolist() == [True, False]
    assert state.open_of(EpisodeKind.SUSTAINED).tolist() == [False, True]
    assert len(advance(blank(["a", "b"]), step, ONE)[1]) == 1


@pytest.mark.parametrize(("direction", "rows"), [("both", [0, 1, 2]), ("above", [0, 2]), ("below", [1, 2])])
def test_a_level_shift_is_told_once_and_is_over_at_once(direction: str, rows: list[int]) -> None:
    rules = replace(ONE, direction=Direction(direction))
    step = a_step(
        5, [0.1, 0.1, 0.1, 0.1], shifted=np.array([True, True, True, False]),
        values=np.array([20, 1, 5, 5]), expected=np.array([10, 10, NAN, 10]),
    )  # fmt: skip
    state, changes = advance(blank(list("abcd")), step, rules)
    assert [(each.kind, each.row) for each in changes] == [(EpisodeKind.LEVEL_SHIFT, row) for row in rows]
    assert set(short(changes)) == {(OPENED, 5, 5, 6)}
    assert not state.open_of(EpisodeKind.LEVEL_SHIFT).any()


def test_what_is_said_to_be_expected_ends_and_opens_again_only_after_it_was_quiet() -> None:
    state, _ = run_on([1.5], ONE)
    state, changes = hushed(state, np.array([True]), EpisodeKind.POINT)
    assert [(each.what, each.reason, each.ended) for each in changes] == [(CLOSED, Reason.EXPECTED, 101)]
    assert run([1.5, 0, 2.9, 0.1, 0.7], ONE, first=101, state=state) == []
    found = run([1.5, 0, 0, 1.5], ONE, first=101, state=state)
    assert short(found) == [(OPENED, 104, 104, None)]
    assert hushed(state, np.array([True]), EpisodeKind.POINT) == (state, [])


def test_what_is_said_to_be_expected_opens_when_it_gets_twice_as_bad() -> None:
    state, _ = run_on([1.5], ONE)
    state, _ = hushed(state, np.array([True]), EpisodeKind.POINT)
    assert short(run([1.5, 3.1], ONE, first=101, state=state)) == [(OPENED, 102, 102, None)]


def test_a_step_that_was_judged_changes_nothing() -> None:
    state, _ = run_on([1.5], ONE)
    for index in (99, 100):
        assert advance(state, a_step(index, [0]), ONE) == (state, [])


def test_a_step_of_other_series_is_refused() -> None:
    with pytest.raises(ValueError, match="one of 1 series"):
        advance(blank(["a"]), a_step(1, [0, 0]), ONE)
    with pytest.raises(ValueError, match="named twice"):
        blank(["a", "a"])
    assert advance(blank([]), a_step(1, []), ONE)[1] == []


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 2}, {"of": 65}, {"close_after": 0}, {"gap_steps": 0}])
def test_rules_that_can_never_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="steps"):
        Rules(**wrong)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(scores=st.lists(SCORES, min_size=1, max_size=40), rules=SOME_RULES)
def test_it_opens_never_with_fewer_than_k_of_n_and_always_with_as_many(scores: list[float], rules: Rules) -> None:
    changes = {(each.at, each.what) for each in run(scores, rules, first=0)}
    is_open, last, quiet = False, list[bool](), 0
    for at, score in enumerate(scores):
        if np.isnan(score):
            assert not {(at, OPENED), (at, CLOSED)} & changes
            continue
        last = [*last, score > 1][-rules.of :]
        if is_open:
            quiet = quiet + 1 if score < 0.6 else 0
            is_open = quiet < rules.close_after
            assert ((at, CLOSED) in changes) is not is_open
            last = last if is_open else []
        else:
            is_open = score > 1 and sum(last) >= rules.steps
            assert ((at, OPENED) in changes) is is_open
            quiet = 0


@settings(max_examples=20, deadline=None)
@given(scores=st.lists(SCORES, max_size=20), rules=SOME_RULES, between=st.lists(st.floats(0.6, 1.0)))
def test_between_the_two_thresholds_nothing_opens_and_nothing_closes(
    scores: list[float], rules: Rules, between: list[float]
) -> None:
    state, _ = run_on(scores, rules)
    found = run(between, rules, first=100 + len(scores), state=state)
    assert [each for each in found if each.what is not WORSENED] == []


@settings(max_examples=20, deadline=None)
@given(
    columns=st.lists(st.tuples(SCORES, SCORES, SCORES), min_size=1, max_size=15),
    order=st.permutations(range(3)),
    rules=SOME_RULES,
)
def test_the_order_of_series_is_irrelevant(columns: list[tuple[float, ...]], order: list[int], rules: Rules) -> None:
    def changes(rows: list[int]) -> list[Any]:
        state, found = blank([str(row) for row in rows]), list[Change]()
        for index, column in enumerate(columns):
            state, changed = advance(state, a_step(index, [column[row] for row in rows]), rules)
            found += [replace(each, row=rows[each.row]) for each in changed]
        return sorted(found, key=repr)

    assert changes([0, 1, 2]) == changes(order)


@settings(max_examples=20, deadline=None)
@given(scores=st.lists(SCORES, min_size=1, max_size=30), rules=SOME_RULES, cut=st.integers(0, 29))
def test_a_cycle_that_is_repeated_tells_the_same_again(scores: list[float], rules: Rules, cut: int) -> None:
    before, first = run_on(scores[:cut], rules)
    once = _rest(before, scores[cut:], rules, cut)
    again = _rest(before, scores[cut:], rules, cut)  # `before` is as it was
    assert once == again
    assert told(first) + once == run(scores, rules)


def _rest(state: State, scores: list[float], rules: Rules, cut: int) -> list[Change]:
    return run(scores, rules, first=100 + cut, state=state)


def test_a_declared_detector_gives_its_rules() -> None:
    rules = rules_of(a_detector())
    assert (rules.steps, rules.of, rules.close_after, rules.per_day, rules.gap_steps) == (3, 5, 6, 288, 3)
    assert rules_of(a_detector(step_minutes=1)).gap_steps == 10
    assert rules_of(a_detector(step_minutes=1440)).long_gap == 7
