"""Samples that used to come and do not any more are a signal of their own."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from alerts.anomaly.episodes.advancing import advance, hushed
from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, Rules, What
from alerts.anomaly.episodes.state import State, blank
from tests.alerts.anomaly.episodes.stepping import NAN, a_step, short

RULES = Rules(per_day=10, gap_steps=3)
OPENED, CLOSED = What.OPENED, What.CLOSED
DAY = [1] * 10


def seen(samples: Iterable[int], state: State | None = None, rules: Rules = RULES) -> tuple[State, list[Change]]:
    state, changes = state or replace(blank(["a"]), index=-1), []
    for sample in samples:
        step = a_step(state.index + 1, [NAN], values=np.array([1.0 if sample else NAN]))
        state, changed = advance(state, step, rules)
        changes += changed
    return state, changes


def test_it_opens_after_some_missing_samples_and_closes_with_the_second_that_comes_again() -> None:
    _, changes = seen([*DAY, 0, 0, 0, 0, 1, 0, 1, 1, 1])
    assert short(changes) == [(OPENED, 12, 10, None), (CLOSED, 17, 10, 16)]
    assert {each.kind for each in changes} == {EpisodeKind.GAP}
    assert (changes[0].value, changes[0].score, changes[1].reason) == (None, None, Reason.RECOVERED)


def test_a_few_missing_samples_are_no_gap() -> None:
    assert seen([*DAY, 0, 0, 1, 0, 0, 1, 0, 0, 1])[1] == []


def test_a_series_that_comes_now_and_then_has_no_gaps() -> None:
    assert seen([1, 0, 0, 0, 0] * 20)[1] == []


def test_a_series_that_has_not_come_for_long_has_no_gap() -> None:
    assert seen([1, 1, 1, 0, 0, 0, 0, 0])[1] == []
    assert seen([0] * 50)[1] == []


def test_what_could_not_be_read_is_no_gap() -> None:
    state, _ = seen(DAY)
    for index in range(state.index + 1, state.index + 9):
        state, changes = advance(state, replace(a_step(index, [NAN]), is_read=False), RULES)
        assert changes == []
    state = replace(state, index=state.index + 100)  # steps that are left out were not read either
    assert seen([0, 0, 1], state)[1] == []


def test_a_series_that_is_missing_for_a_week_is_gone_and_its_gap_ends() -> None:
    _, changes = seen([*DAY, *[0] * 90])
    assert short(changes) == [(OPENED, 12, 10, None), (CLOSED, 79, 10, 80)]
    assert changes[1].reason is Reason.GONE


def test_a_gap_that_is_expected_ends_and_none_opens_before_samples_came_for_most_of_a_day() -> None:
    state, _ = seen([*DAY, 0, 0, 0])
    state, changes = hushed(state, np.array([True]), EpisodeKind.GAP)
    assert [(each.what, each.reason) for each in changes] == [(CLOSED, Reason.EXPECTED)]
    assert seen([0, 0, 0, 0, 1, 1, 0, 0, 0], state)[1] == []
    assert short(seen([*DAY, 0, 0, 0], state)[1]) == [(OPENED, 25, 23, None)]


def test_of_daily_series_a_day_is_too_short_to_be_what_is_usual() -> None:
    daily = Rules(per_day=1, gap_steps=3)
    assert short(seen([*[1] * 14, 0, 0, 0], rules=daily)[1]) == [(OPENED, 16, 14, None)]
    assert seen([1, 0, 0, 0, 0], rules=daily)[1] == []


def test_gaps_of_many_series_are_told_in_their_order() -> None:
    state = replace(blank(["a", "b", "c"]), index=-1)
    present = np.ones((20, 3))
    present[12:, [0, 2]] = NAN
    found = []
    for index, values in enumerate(present):
        state, changes = advance(state, a_step(index, [0, 0, 0], values=values), RULES)
        found += changes
    assert [(each.row, each.started) for each in found] == [(0, 12), (2, 12)]
    assert state.open_of(EpisodeKind.GAP).tolist() == [True, False, True]
