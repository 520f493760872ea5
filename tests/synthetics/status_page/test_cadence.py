"""When the public hears from us next."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.status_page import cadence
from tests.synthetics.status_page.paging import HOUR, MINUTE, NOW, SECOND

QUARTER = 15 * MINUTE
seconds = st.integers(0, 200_000).map(lambda number: number * SECOND)
intervals = st.sampled_from([5 * MINUTE, QUARTER, 25 * MINUTE, 40 * MINUTE, HOUR])


def test_marks_are_every_quarter_of_the_first_hour_and_then_every_hour() -> None:
    at, found = NOW, []
    for _ in range(7):
        at = cadence.mark_after(NOW, at, QUARTER)
        found.append(cadence.name_of(NOW, at))
    assert found == ["t+15", "t+30", "t+45", "t+60", "t+120", "t+180", "t+240"]


@pytest.mark.parametrize(
    ("published", "promised"),
    [(0, 15), (5, 15), (8, 30), (15, 30), (24, 45), (50, 60), (60, 120), (61, 120), (95, 120)],
)
def test_a_published_update_promises_the_next_mark_that_is_not_too_near(published: int, promised: int) -> None:
    assert cadence.promise(NOW, NOW + published * MINUTE, QUARTER) == NOW + promised * MINUTE


@given(seconds, intervals)
def test_a_promise_is_never_sooner_than_half_an_interval_and_never_later_than_two_hours(
    passed: timedelta, every: timedelta
) -> None:
    wait = cadence.promise(NOW, NOW + passed, every) - (NOW + passed)
    assert every / 2 < wait <= 2 * HOUR


@given(seconds, intervals, st.booleans())
def test_the_mark_that_is_due_is_the_latest_whose_draft_should_be_there(
    passed: timedelta, every: timedelta, needs_approval: bool
) -> None:
    lead = cadence.lead(every, needs_approval=needs_approval)
    found = cadence.due_mark(NOW, NOW + passed, every, lead)
    marks = [NOW]
    while marks[-1] <= NOW + passed + 2 * HOUR:
        marks.append(cadence.mark_after(NOW, marks[-1], every))
    due = [mark for mark in marks[1:] if mark - lead <= NOW + passed]
    assert found == (due[-1] if due else None)


@given(seconds, intervals)
def test_marks_go_on_without_end(passed: timedelta, every: timedelta) -> None:
    mark = cadence.mark_after(NOW, NOW + passed, every)
    assert NOW + passed < mark
    since = mark - NOW
    assert (
        since % every == timedelta(0) if since < HOUR else since % HOUR == timedelta(0) or since % every == timedelta(0)
    )


def test_what_was_promised_is_overdue_from_its_moment_on() -> None:
    assert cadence.overdue(None, NOW) == cadence.overdue(NOW, NOW) == cadence.overdue(NOW + MINUTE, NOW) == timedelta(0)
    assert cadence.overdue(NOW - MINUTE, NOW) == MINUTE
