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


@pytest.mark.parametrize("again", [False, True], ids=["once", "repeatable"])
def test_a_run_ends_well_or_says_that_nobody_knows_wherever_it_is_killed(tmp_path: Path, again: bool) -> None:
    killed = ended_well = unclear = 0
    for place in range(1, 60):
        folder = tmp_path / str(place)
        folder.mkdir()
        with kept_store(folder) as store:
            hands, clock = Hands(again=again), SetClock()
            countdown = Countdown(place)

            def daemon(opened: Any, performer: Any) -> RunbookDaemon:
                return RunbookDaemon(
                    opened, lambda: AlertsDeclared(runbooks=(RUNBOOK,)), {StepKind.HTTP: performer},
                    clock=clock,  # noqa: B023 -- called in this turn of the loop
                )  # fmt: skip

            asking.begin(store, RUNBOOK, by="ann", is_dry=False, why="", now=NOW, run="r1")
            try:
                daemon(Killing(store, countdown), Killing(hands, countdown)).run_once(clock.now())
            except Killed:
                killed += 1
            daemon(store, hands).run_once(clock.pass_(timedelta(seconds=10)))  # too early for what may be under way
            before = list(hands.did)
            daemon(store, hands).run_once(clock.pass_(timedelta(minutes=2)))
            with store.transaction(read_only=True) as transaction:
                run = transaction.follow_up.run("r1")
                actions = [entry.action for entry in transaction.audit.entries()]
                assert transaction.audit.verify() is None
        assert run is not None
        assert run.state in (RunState.DONE, RunState.FAILED)
        if not again:
            assert len(hands.did) == len(set(hands.did)), f"done twice: {hands.did}, killed at {place}"
        assert actions.count("runbook.begun") == 1
        if run.state is RunState.DONE:
            ended_well += 1
            assert set(hands.did) == {"one", "two"}
        else:
            unclear += 1
            assert "nobody knows whether it was done" in run.why
            assert [each.state for each in results_of(run)].count(StepState.FAILED) == 1
            assert before == hands.did
        if countdown.left > 0:
            break
    assert killed == place - 1 == 20
    assert (ended_well, unclear) == ((21, 0) if again else (13, 8))
