"""The engine of a prober: every check in its turn, in one event loop, whatever the checks do.

Time is the event loop's own, anchored once to the clock: steps of the clock move no turn. Tests bring a loop whose time
is simulated.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from controlplane.model.check import DETAIL_LENGTH, CheckKind, CheckResult, Outcome
from controlplane.ports import Clock
from synthetics.checks import Check
from synthetics.prober.blame import PROBER_REASON, judged
from synthetics.prober.courses import Course, Key, key_of
from synthetics.prober.grid import share_of
from synthetics.prober.lanes import Lane
from synthetics.prober.metrics import ProberMetrics
from synthetics.prober.sinks import ResultSink

_GRACE_SECONDS: Final = 2.0  # checks end within their timeout and a second; then we end them
_FRESH_SECONDS: Final = 2.0  # how old a self-check may be that judges a failure
_OVERRUN: Final = "overrun"
_LATE: Final = "late"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much runs at once, and how long stopping may take.

    `first_within`: a check whose first turn on the grid is later than that also runs once before, spread over this
    time; None waits for the grid.
    """

    light: int = 400  # a socket or two each; a process has 1,024 by default
    heavy: int = 1
    stop_seconds: float = 5.0
    first_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Turn:
    """`planned` in Unix time; None out of turn."""

    planned: float | None
    confirms: bool


class Prober:
    """Runs a set of checks. Not safe between threads: `ProberThread` is."""

    def __init__(
        self,
        *,
        region: str,
        sink: ResultSink,
        clock: Clock,
        metrics: ProberMetrics | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._region = region
        self._sink = sink
        self._clock = clock
        self._limits = limits or Limits()
        self._metrics = metrics or ProberMetrics(CollectorRegistry())
        self._courses: dict[Key, Course] = {}
        self._wanted: dict[Key, Check] = {}
        self._self_check: Key | None = None
        self._light = Lane(self._limits.light)
        self._heavy = Lane(self._limits.heavy)
        self._own = Lane(1)
        self._runs: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._anchor = 0.0  # Unix time at which the loop's time was 0
        self._show_from_start()

    def _show_from_start(self) -> None:
        """A counter that is born with its first increment hides it from `rate`."""
        for kind in CheckKind:
            for outcome in Outcome:
                self._metrics.runs.labels(self._region, kind.value, outcome.value)
        for reason in (_OVERRUN, _LATE):
            self._metrics.missed.labels(self._region, reason)
        self._metrics.start_delay.labels(self._region)
        self._metrics.running.labels(self._region).set(0)

    @property
    def running(self) -> int:
        """Runs that are under way."""
        return self._light.taken + self._heavy.taken + self._own.taken

    def replace(self, checks: Iterable[Check], self_check: Check | None = None) -> None:
        """Run these from now on: those of our region. What stays keeps its grid and its state, what runs ends as it is.

        A check is the same as before when kind and name are. Raises ValueError for an interval that is none, and
        changes nothing then.
        """
        checks = tuple(checks)
        for check in (*checks, *([self_check] if self_check else [])):
            if check.every <= timedelta(0):
                raise ValueError(f"the interval of {check.name} is not positive")
        chosen = [check for check in checks if not check.regions or self._region in check.regions]
        self._self_check = key_of(self_check) if self_check else None
        self._wanted = {key_of(check): check for check in (*chosen, *([self_check] if self_check else []))}
        self._metrics.checks.labels(self._region).set(len(self._wanted))
        if self._loop:
            self._adjust()

    async def run_until(self, stopping: asyncio.Event) -> None:
        """Run until told to stop, then end what still runs, within a bounded time."""
        self._loop = asyncio.get_running_loop()
        self._anchor = self._clock.now().timestamp() - self._loop.time()
        self._adjust()
        try:
            await stopping.wait()
        finally:
            await self._close()

    # --- turns ---

    def _time(self) -> float:
        return self._anchor + asyncio.get_running_loop().time()

    def _adjust(self) -> None:
        for key, course in list(self._courses.items()):
            if key not in self._wanted:
                course.quiet()
                course.is_retired = True
                if not course.is_busy:
                    del self._courses[key]
        for key, check in self._wanted.items():
            self._settle(key, check)

    def _settle(self, key: Key, check: Check) -> None:
        lane = self._lane_of(key, check)
        course = self._courses.get(key)
        if course is None:
            course = self._courses[key] = Course(check, self._region, lane)
            self._begin_course(course)
        elif course.adopt(check, lane) or course.timer is None:
            course.quiet()
            course.begin_at(self._time())
            self._arm(course)

    def _lane_of(self, key: Key, check: Check) -> Lane:
        if key == self._self_check:
            return self._own
        return self._heavy if check.is_heavy else self._light

    def _begin_course(self, course: Course) -> None:
        assert self._loop
        course.begin_at(self._time())
        self._arm(course)
        within = self._limits.first_within
        if within is None:
            return
        seconds = share_of(course.check.kind, course.check.name, self._region) * within.total_seconds()
        if self._time() + within.total_seconds() < course.grid.start_of(course.number):
            course.confirmation = self._loop.call_later(seconds, partial(self._out_of_turn, course, confirms=False))

    def _arm(self, course: Course) -> None:
        assert self._loop
        due = course.grid.start_of(course.number) - self._anchor
        course.timer = self._loop.call_at(due, self._turn, course)

    def _turn(self, course: Course) -> None:
        planned, missed = course.take_turn(self._time())
        if missed:
            self._metrics.missed.labels(self._region, _LATE).inc(missed)
        self._arm(course)
        if course.confirmation is not None:  # this turn does as well
            course.confirmation.cancel()
            course.confirmation = None
        if course.is_busy:
            self._metrics.missed.labels(self._region, _OVERRUN).inc()
        else:
            self._enter(course, planned, confirms=False)

    def _out_of_turn(self, course: Course, *, confirms: bool) -> None:
        course.confirmation = None
        if not course.is_busy:
            self._enter(course, None, confirms=confirms)

    def _enter(self, course: Course, planned: float | None, *, confirms: bool) -> None:
        lane, turn = course.lane, _Turn(planned, confirms)
        course.is_busy = True
        course.queued = lane, partial(self._start, course, lane, turn)
        lane.enter(course.queued[1])

    def _start(self, course: Course, lane: Lane, turn: _Turn) -> None:
        assert self._loop
        course.queued = None
        task = self._loop.create_task(self._run(course, lane, turn), name=f"check {course.check.name}")
        self._runs.add(task)
        task.add_done_callback(self._runs.discard)

    # --- one run ---

    async def _run(self, course: Course, lane: Lane, turn: _Turn) -> None:
        check, began = course.check, self._time()
        running = self._metrics.running.labels(self._region)
        running.inc()
        if turn.planned is not None:
            self._metrics.start_delay.labels(self._region).observe(max(0.0, began - turn.planned))
        try:
            try:
                result = await self._ended(check)
            finally:
                running.dec()
                lane.leave()
            if self._loop:  # else it ended after us
                self._told(course, replace(await self._judged(result), confirms=turn.confirms), began)
        finally:
            course.is_busy = False
            course.answer(None)
            if course.is_retired and self._courses.get(key_of(check)) is course:
                del self._courses[key_of(check)]

    async def _ended(self, check: Check) -> CheckResult:
        """What the check says, or what is said of a check that does not keep its word."""
        now, began = self._clock.now(), self._time()
        try:
            async with asyncio.timeout(check.timeout.total_seconds() + _GRACE_SECONDS):
                return await check.run(now)
        except TimeoutError:
            detail = f"The check did not end within its timeout of {check.timeout.total_seconds():g} s and was ended."
            log.warning("prober.check_overran", extra={"check": check.name, "kind": check.kind.value})
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            detail = "The check cancelled itself."
            log.warning("prober.check_cancelled_itself", extra={"check": check.name, "kind": check.kind.value})
        except Exception as error:  # checks are written by many hands; one takes no other with it
            detail = f"The check broke: {type(error).__name__}."
            log.exception("prober.check_broke", extra={"check": check.name, "kind": check.kind.value})
        return self._fault(check, now, self._time() - began, detail)

    def _fault(self, check: Check, started_at: datetime, seconds: float, detail: str) -> CheckResult:
        return CheckResult(
            check=check.name,
            kind=check.kind,
            region=self._region,
            started_at=started_at,
            duration_seconds=seconds,
            outcome=Outcome.FAULT,
            reason=PROBER_REASON,
            detail=detail[:DETAIL_LENGTH],
        )

    async def _judged(self, result: CheckResult) -> CheckResult:
        if result.outcome is not Outcome.FAILED or result.kind is CheckKind.SELF_CHECK:
            return result
        return judged(result, await self._fresh_self_check())

    async def _fresh_self_check(self) -> CheckResult | None:
        """What the self-check says now: a run that is under way, one of the last two seconds, or a new one."""
        course = self._courses.get(self._self_check) if self._self_check else None
        if course is None or self._loop is None:
            return None
        if not course.is_busy:
            if course.latest and self._time() - course.latest[0] < _FRESH_SECONDS:
                return course.latest[1]
            self._out_of_turn(course, confirms=True)
        return await course.next_result(self._loop)

    def _told(self, course: Course, result: CheckResult, began: float) -> None:
        self._metrics.runs.labels(self._region, result.kind.value, result.outcome.value).inc()
        try:
            self._sink.put(result)
        except Exception:  # the sink is the roof's; a full disk does not stop the checks
            log.exception("prober.result_lost", extra={"check": result.check, "kind": result.kind.value})
        seconds = course.heard(result, began)
        if seconds is None or result.kind is CheckKind.SELF_CHECK or course.timer is None or self._loop is None:
            return
        if self._time() + seconds < course.grid.start_of(course.number):  # else its turn does
            again = partial(self._out_of_turn, course, confirms=True)
            course.confirmation = self._loop.call_later(seconds, again)

    # --- the end ---

    async def _close(self) -> None:
        for course in self._courses.values():
            course.quiet()
        runs: Sequence[asyncio.Task[None]] = list(self._runs)
        for task in runs:
            task.cancel()
        if runs:
            _, left = await asyncio.wait(runs, timeout=self._limits.stop_seconds)
            for task in left:
                log.error("prober.check_not_ended", extra={"task": task.get_name()})
        self._courses.clear()
        self._loop = None
