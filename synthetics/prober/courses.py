"""One check on its grid: which turn is next, whether it runs, and what it said last."""

import asyncio
from collections.abc import Callable
from typing import Final

from controlplane.model.check import CheckResult, Outcome
from synthetics.checks import Check
from synthetics.prober.grid import Grid, again_after, confirm_after, grid_of
from synthetics.prober.lanes import Lane

Key = tuple[str, str]


def key_of(check: Check) -> Key:
    """What makes it the same check as before: kind and name."""
    return check.kind.value, check.name


class Course:
    """State of one check; the engine moves it. `is_busy` from the moment it queues to the moment its result is told."""

    def __init__(self, check: Check, region: str, lane: Lane) -> None:
        self._region: Final = region
        self.check = check
        self.lane = lane
        self.grid: Grid = self._grid()
        self.number = 0  # the next turn
        self.timer: asyncio.TimerHandle | None = None
        self.confirmation: asyncio.TimerHandle | None = None
        self.queued: tuple[Lane, Callable[[], None]] | None = None  # where, and how it begins, while it queues
        self.is_busy = False
        self.is_retired = False
        self.latest: tuple[float, CheckResult] | None = None  # when it began, by the loop's time
        self._is_failing = False
        self._listeners: list[asyncio.Future[CheckResult | None]] = []

    def _grid(self) -> Grid:
        return grid_of(self.check.kind, self.check.name, self._region, self.check.every)

    def adopt(self, check: Check, lane: Lane) -> bool:
        """Be this version of the check from the next run on; True when its grid moved."""
        self.check = check
        self.lane = lane
        self.is_retired = False
        before, self.grid = self.grid, self._grid()
        return self.grid != before

    def begin_at(self, at: float) -> None:
        """The next turn is the first one from `at` on."""
        self.number = self.grid.first_from(at)

    def take_turn(self, at: float) -> tuple[float, int]:
        """The turn that is due at `at`: its planned start, and how many before it were missed."""
        latest = max(self.number, self.grid.latest_until(at))
        missed = latest - self.number
        self.number = latest + 1
        return self.grid.start_of(latest), missed

    def heard(self, result: CheckResult, began: float) -> float | None:
        """Remember what a run found and tell who waits; in how many seconds it runs again, None: at its turn.

        A first failure is confirmed soon; a check with a long interval that is down is asked again before its turn.
        """
        again = None
        if result.outcome is Outcome.FAILED:
            after = again_after if self._is_failing else confirm_after
            again = after(self.check.every)
        if result.outcome is not Outcome.FAULT:  # a fault says nothing about the target
            self._is_failing = result.outcome is Outcome.FAILED
        self.latest = (began, result)
        self.answer(result)
        return again

    def next_result(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[CheckResult | None]":
        """Resolves with the next result; None when there will be none."""
        listener: asyncio.Future[CheckResult | None] = loop.create_future()
        self._listeners.append(listener)
        return listener

    def answer(self, result: CheckResult | None) -> None:
        """Tell who waits for a result."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            if not listener.done():
                listener.set_result(result)

    def quiet(self) -> None:
        """Take no more turns and leave the queue; what runs goes on."""
        for timer in (self.timer, self.confirmation):
            if timer is not None:
                timer.cancel()
        self.timer = self.confirmation = None
        if self.queued is not None and self.queued[0].dismiss(self.queued[1]):
            self.queued = None
            self.is_busy = False
            self.answer(None)
