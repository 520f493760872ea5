"""Answers that are remembered: fresh, stale, slow, failing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.ports import Permanent, Transient
from flyball.web.remembered import Reading, Remembered

START = datetime(2026, 9, 16, tzinfo=UTC)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


def failing(error: Exception) -> int:
    raise error


def test_an_answer_is_asked_for_again_only_when_it_is_old() -> None:
    clock = Hands()
    remembered: Remembered[datetime] = Remembered(clock)
    assert remembered.get("x", lambda now: now) == Reading(START, START)
    clock.at += timedelta(seconds=14)
    assert remembered.get("x", lambda now: now) == Reading(START, START)
    clock.at += timedelta(seconds=1)
    assert remembered.get("x", lambda now: now) == Reading(clock.at, clock.at)


@pytest.mark.parametrize("error", [Transient("away"), Permanent("away")])
def test_a_failure_keeps_the_last_good_answer_and_is_retried_sooner(error: Exception) -> None:
    clock = Hands()
    remembered: Remembered[int] = Remembered(clock)
    assert remembered.get("x", lambda _: failing(error)) == Reading(None, None, "away")
    clock.at += timedelta(seconds=4)
    assert remembered.get("x", lambda _: 7).failure == "away"
    clock.at += timedelta(seconds=1)
    good = remembered.get("x", lambda _: 7)
    assert good == Reading(7, clock.at)
    clock.at += timedelta(seconds=20)
    assert remembered.get("x", lambda _: failing(error)) == Reading(7, good.taken_at, "away")


def test_a_slow_answer_is_not_waited_for_and_asked_for_once() -> None:
    clock, go, asked = Hands(), threading.Event(), []
    remembered: Remembered[int] = Remembered(clock, patience=timedelta(0))

    def slow(_: datetime) -> int:
        asked.append(1)
        assert go.wait(20)
        return 7

    for _ in range(3):
        assert remembered.get("x", slow) == Reading(None, None, "it is slow to answer")
    go.set()
    patient: Remembered[int] = remembered
    deadline = threading.Event()
    for _ in range(2000):
        if patient.get("x", slow).value == 7:
            break
        deadline.wait(0.01)
    assert patient.get("x", slow) == Reading(7, START)
    assert len(asked) == 1


def test_only_so_many_questions_are_under_way_at_once() -> None:
    go = threading.Event()
    remembered: Remembered[bool] = Remembered(Hands(), patience=timedelta(0), at_once=2)
    said = [remembered.get(key, lambda _: go.wait(20)).failure for key in "abc"]
    go.set()
    assert said == ["it is slow to answer", "it is slow to answer", "too many questions are under way"]


def test_answers_used_long_ago_are_forgotten() -> None:
    remembered: Remembered[int] = Remembered(Hands(), keep=2)
    for key in "abc":
        remembered.get(key, lambda _: 1)
    assert remembered.get("c", lambda _: 2).value == 1
    assert remembered.get("a", lambda _: 2).value == 2
