"""What people say of anomalies: which steps are learnt from, which episodes end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.detector.model import Grid
from alerts.anomaly.feedback.learning import announced, extended, learnt, to_close
from alerts.anomaly.feedback.saying import event_of, feedback_of, feedback_on
from controlplane import anomaly_names as names
from controlplane.model.anomaly import Episode, Feedback, Verdict

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
GRID = Grid(int(NOON.timestamp()) // 300, STEP, 6)  # 12:00 … 12:25
EXPECTED, REAL = Verdict.EXPECTED, Verdict.REAL
KEYS = ["a", "b"]


def at(steps: float) -> datetime:
    return NOON + steps * STEP


def say(first: float, end: float, verdict: Verdict = REAL, said: float = 10, **more: Any) -> Feedback:
    given: dict[str, Any] = {"detector": "traffic", "actor": "ann", "verdict": verdict}
    return feedback_of(**given | {"start": at(first), "end": at(end), "said_at": at(said)} | more)


def rows(mask: Any) -> list[str] | None:
    return None if mask is None else ["".join(".x"[int(not each)] for each in row) for row in mask.tolist()]


def an_episode(**changes: Any) -> Episode:
    nothing = (None,) * 5
    base = Episode("e1", "traffic", "a", {"service": "s"}, "point", at(2), None, at(3), *nothing)
    return replace(base, **changes)


def test_what_was_really_wrong_is_not_learnt_from_and_what_was_expected_is() -> None:
    assert rows(learnt([say(1, 3)], KEYS, GRID)) == [".xx..."]
    assert learnt([say(1, 3, EXPECTED)], KEYS, GRID) is None
    assert learnt([], KEYS, GRID) is None


def test_the_fit_may_be_told_otherwise() -> None:
    assert learnt([say(1, 3, is_learnt=True)], KEYS, GRID) is None
    assert rows(learnt([say(1, 3, EXPECTED, is_learnt=False)], KEYS, GRID)) == [".xx..."]


def test_it_is_said_of_one_series_or_of_all() -> None:
    assert rows(learnt([say(1, 3, series="b")], KEYS, GRID)) == ["......", ".xx..."]
    assert rows(learnt([say(1, 3, series="b"), say(5, 6)], KEYS, GRID)) == [".....x", ".xx..x"]
    assert learnt([say(1, 3, series="gone")], KEYS, GRID) is None


def test_a_step_of_which_a_part_is_spoken_of_is_spoken_of() -> None:
    assert rows(learnt([say(1.5, 2.1)], KEYS, GRID)) == [".xx..."]
    assert rows(learnt([say(1, 2)], KEYS, GRID)) == [".x...."]


def test_times_beyond_the_grid_are_cut() -> None:
    assert rows(learnt([say(-9, 1), say(5, 99)], KEYS, GRID)) == ["x....x"]
    assert learnt([say(-9, 0), say(6, 9)], KEYS, GRID) is None


def test_of_two_that_contradict_each_other_the_newest_counts() -> None:
    old, new = say(0, 4, said=10), say(2, 6, EXPECTED, said=11)
    assert rows(learnt([new, old], KEYS, GRID)) == rows(learnt([old, new], KEYS, GRID)) == ["xx...."]
    of_one, of_all = say(0, 4, EXPECTED, said=10, series="a"), say(2, 6, said=11)
    assert rows(learnt([of_one, of_all], KEYS, GRID)) == ["..xxxx", "..xxxx"]
    assert rows(learnt([replace(of_one, said_at=at(12)), of_all], KEYS, GRID)) == ["....xx", "..xxxx"]


def test_people_override_calendars_either_way() -> None:
    calendar = np.array([[True, False, False, False, True, True]])
    found = learnt([say(2, 3, EXPECTED), say(5, 6)], KEYS, GRID, calendar)
    assert rows(found) == [".x.x.x"]
    assert rows(calendar) == [".xxx.."]
    assert learnt([], KEYS, GRID, calendar) is calendar
    assert rows(learnt([say(2, 3, EXPECTED, series="b")], KEYS, GRID, calendar)) == [".xxx..", ".x.x.."]
    wide = np.repeat(calendar, 2, axis=0)
    assert rows(learnt([say(5, 6)], KEYS, GRID, wide)) == [".xxx.x", ".xxx.x"]


@settings(max_examples=25, deadline=None)
@given(
    said=st.lists(
        st.tuples(
            st.integers(-2, 7), st.integers(1, 6), st.booleans(), st.integers(0, 20), st.sampled_from(["", *KEYS])
        ),
        max_size=6,
        unique_by=lambda each: each[3],
    )
)
def test_every_cell_is_as_the_newest_word_on_it_says(said: list[tuple[int, int, bool, int, str]]) -> None:
    words = [say(first, first + long, said=when, series=key, is_learnt=ok) for first, long, ok, when, key in said]
    found = learnt(words, KEYS, GRID)
    for row, key in enumerate(KEYS):
        for column in range(GRID.count):
            of_it = [each for each in words if each.series in ("", key) and each.start <= at(column) < each.end]
            wanted = max(of_it, key=lambda each: each.said_at).is_learnt if of_it else True
            assert wanted == (True if found is None else found[row if len(found) > 1 else 0, column])


def test_an_open_episode_that_was_expected_ends() -> None:
    opened, other, over = an_episode(), an_episode(id="e2", series="b"), an_episode(id="e3", ended_at=at(5))
    word = say(1, 4, EXPECTED, series="a")
    assert to_close([word], [opened, other, over], at(20)) == [opened]
    assert to_close([say(1, 4, EXPECTED)], [opened, other], at(20)) == [opened, other]
    assert to_close([replace(word, detector="spend")], [opened], at(20)) == []
    assert to_close([], [opened], at(20)) == []


def test_of_an_episode_the_newest_word_counts_too() -> None:
    yes, no = say(1, 4, EXPECTED, said=10), say(3, 9, REAL, said=11)
    assert to_close([yes, no], [an_episode()], at(20)) == []
    assert to_close([replace(yes, said_at=at(12)), no], [an_episode()], at(20)) == [an_episode()]


@pytest.mark.parametrize(("first", "end", "is_ended"), [(0, 2, False), (0, 2.1, True), (20, 30, False), (19, 30, True)])
def test_only_words_on_the_time_of_an_episode_end_it(first: float, end: float, is_ended: bool) -> None:
    assert bool(to_close([say(first, end, EXPECTED)], [an_episode()], at(20))) is is_ended


def test_what_was_announced_opens_nothing_while_it_lasts() -> None:
    words = [say(1, 3, EXPECTED, series="a"), say(2, 3, EXPECTED, said=9, series="gone")]
    found = [announced(words, KEYS, at(step)).tolist() for step in (0, 1, 2, 3)]
    assert found == [[False, False], [True, False], [True, False], [False, False]]
    words.append(say(2, 3, REAL, said=12))
    assert announced(words, KEYS, at(2)).tolist() == [False, False]
    assert announced([say(0, 1, EXPECTED)], KEYS, at(0)).tolist() == [True, True]


def test_the_same_request_twice_is_one_feedback_and_the_same_words_later_are_another() -> None:
    assert say(1, 3, note="a") == replace(say(1, 3, note="b"), note="a")
    others = [say(1, 3), say(1, 4), say(1, 3, said=11), say(1, 3, series="a"), say(1, 3, is_learnt=True)]
    others += [say(1, 3, EXPECTED), say(1, 3, actor="ben"), say(1, 3, detector="spend")]
    assert len({each.id for each in others}) == 8
    with pytest.raises(ValueError, match="end after"):
        say(3, 3)


def test_feedback_on_an_episode_is_of_its_time() -> None:
    open_one = feedback_on(an_episode(), EXPECTED, actor="ann", said_at=at(9), note="n" * 2000)
    assert (open_one.start, open_one.end, open_one.series, open_one.is_learnt) == (at(2), at(9), "a", True)
    assert len(open_one.note) == 1000
    over = feedback_on(an_episode(ended_at=at(5)), REAL, actor="ann", said_at=at(9), is_learnt=True)
    assert (over.end, over.verdict, over.is_learnt) == (at(5), REAL, True)


def test_what_is_said_of_an_open_episode_is_said_of_the_rest_of_it_too() -> None:
    word = feedback_on(an_episode(), REAL, actor="ann", said_at=at(3))
    assert [each.end for each in extended([word], [an_episode()], at(8))] == [at(8)]
    assert [each.end for each in extended([word], [an_episode(ended_at=at(5))], at(8))] == [at(5)]
    assert [each.end for each in extended([word], [an_episode(ended_at=at(2.5))], at(8))] == [at(3)]
    others = [an_episode(series="b"), an_episode(started_at=at(1)), an_episode(detector="spend")]
    assert extended([word], others, at(8)) == [word]
    assert rows(learnt(extended([word], [an_episode(ended_at=at(5))], at(8)), KEYS, GRID)) == ["..xxx.", "......"]


def test_feedback_is_told_once() -> None:
    word = say(1, 3, series="{a}", note="sale")
    event = event_of(word, service="checkout")
    assert (event.id, event.kind) == (f"anomaly.feedback:{word.id}", names.EVENT_FEEDBACK)
    assert (event.subject, event.occurred_at) == ("traffic{a}", at(10))
    assert event.data["verdict"] == "real"
    assert event.data["service"] == "checkout"
    assert "service" not in event_of(word).data
