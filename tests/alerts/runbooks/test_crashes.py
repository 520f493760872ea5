"""Our process ends anywhere in a run: no step is done twice that must not be, and none is forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.model import AlertsDeclared
from alerts.runbooks import asking
from alerts.runbooks.daemon import RunbookDaemon
from alerts.runbooks.model import StepKind
from alerts.runbooks.running import StepState, results_of
from controlplane.model.follow_up import RunState
from tests.alerts.kept_store import NOW, SetClock, kept_store
from tests.alerts.runbooks.running import Hands, a_runbook, a_step

RUNBOOK = a_runbook(a_step("one"), a_step("two"))


class Killed(BaseException):
    """Nothing after it happens."""


class Countdown:
    """Kills at the n-th place that is passed."""

    def __init__(self, left: int) -> None:
        self.left = left

    def pass_(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Killing:
    """A store and hands that pass places before and after every commit, and around every step."""

    def __init__(self, inner: Any, countdown: Countdown) -> None:
        self._inner = inner
        self._countdown = countdown

    @contextmanager
    def transaction(self, **options: Any) -> Iterator[Any]:
        with self._inner.transaction(**options) as transaction:
            yield transaction
            self._countdown.pass_()  # rolled back
        self._countdown.pass_()

    def perform(self, step: Any, key: str) -> Any:
        self._countdown.pass_()
        done = self._inner.perform(step, key)
        self._countdown.pass_()
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def killed_at(folder: Path, place: int, *, again: bool) -> tuple[RunState, bool]:
    """How a run ends that is killed at that place and taken up by others; and whether it was killed at all."""
    with kept_store(folder) as store:
        hands, clock, countdown = Hands(again=again), SetClock(), Countdown(place)

        def daemon(opened: Any, performer: Any) -> RunbookDaemon:
            declared = AlertsDeclared(runbooks=(RUNBOOK,))
            return RunbookDaemon(opened, lambda: declared, {StepKind.HTTP: performer}, clock=clock)

        asking.begin(store, RUNBOOK, by="ann", is_dry=False, why="", now=NOW, run="r1")
        was_killed = False
        try:
            daemon(Killing(store, countdown), Killing(hands, countdown)).run_once(clock.now())
        except Killed:
            was_killed = True
        daemon(store, hands).run_once(clock.pass_(timedelta(seconds=10)))  # too early for what may be under way
        before = list(hands.did)
        daemon(store, hands).run_once(clock.pass_(timedelta(minutes=2)))
        with store.transaction(read_only=True) as transaction:
            run = transaction.follow_up.run("r1")
            actions = [entry.action for entry in transaction.audit.entries()]
            assert transaction.audit.verify() is None
    assert run is not None
    assert actions.count("runbook.begun") == 1
    if not again:
        assert len(hands.did) == len(set(hands.did)), f"done twice: {hands.did}"
    if run.state is RunState.DONE:
        assert set(hands.did) == {"one", "two"}
    else:
        assert "nobody knows whether it was done" in run.why
        assert [each.state for each in results_of(run)].count(StepState.FAILED) == 1
        assert before == hands.did
    return run.state, was_killed


PLACES = 20
UNCLEAR = {8, 9, 10, 11, 14, 15, 16, 17}  # between the intent of a step and the note of how it went


@pytest.mark.parametrize("place", [5, 8, 9, 10, 11, 21])
def test_a_run_ends_well_or_says_that_nobody_knows_where_it_is_killed(tmp_path: Path, place: int) -> None:
    expected = RunState.FAILED if place in UNCLEAR else RunState.DONE
    assert killed_at(tmp_path, place, again=False) == (expected, place <= PLACES)


@pytest.mark.parametrize("place", [10])
def test_a_step_that_may_be_repeated_is_done_again(tmp_path: Path, place: int) -> None:
    assert killed_at(tmp_path, place, again=True) == (RunState.DONE, True)


@pytest.mark.soak
@pytest.mark.parametrize("again", [False, True], ids=["once", "repeatable"])
def test_the_same_at_every_place(tmp_path: Path, again: bool) -> None:
    for place in range(1, PLACES + 2):
        folder = tmp_path / str(place)
        folder.mkdir()
        expected = RunState.FAILED if place in UNCLEAR and not again else RunState.DONE
        assert killed_at(folder, place, again=again) == (expected, place <= PLACES), place
