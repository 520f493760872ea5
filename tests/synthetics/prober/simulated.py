"""A loop whose time is simulated: when nothing is ready it jumps to the next timer; and checks that do as told."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from controlplane.model.check import CheckKind, CheckResult, Outcome
from synthetics.checks import Check
from synthetics.prober.grid import grid_of

T = TypeVar("T")
START = datetime(2026, 11, 30, 12, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen")
        if not ready and timeout:
            self.jumped += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 1000 and moves by timers only."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return 1000.0 + self._jumping.jumped


def simulate(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it in simulated time; no task may be left."""
    loop = SimulatedLoop()
    problems: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: problems.append(context))
    try:
        result = loop.run_until_complete(main())
        assert not asyncio.all_tasks(loop)
        assert not problems
        return result
    finally:
        loop.close()


class LoopClock:
    """The clock of a simulated loop; `step` moves it without moving the loop's time."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self.step = timedelta()

    def now(self) -> datetime:
        return self._start + self.step + timedelta(seconds=asyncio.get_running_loop().time() - 1000.0)


def seconds_in(at: datetime) -> float:
    """Since START."""
    return (at - START).total_seconds()


@dataclass
class Target:
    """A check's target: takes `seconds`, answers as `outcome` says; `starts` and `overlaps` tell what happened."""

    name: str = "shop"
    every: float = 30.0
    timeout: float = 10.0
    kind: CheckKind = CheckKind.PROBE
    region: str = "eu"
    regions: frozenset[str] = frozenset()
    is_heavy: bool = False
    outcome: Callable[[datetime], Outcome] = lambda _: Outcome.OK
    seconds: Callable[[datetime], float] = lambda _: 0.5
    raises: Exception | None = None
    starts: list[datetime] = field(default_factory=list)
    running: int = 0
    most_at_once: int = 0
    cancelled: int = 0

    async def run(self, now: datetime) -> CheckResult:
        self.starts.append(now)
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await asyncio.sleep(self.seconds(now))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if self.raises:
            raise self.raises
        outcome = self.outcome(now)
        reason = "" if outcome is Outcome.OK else "timeout"
        return CheckResult(
            self.name, self.kind, self.region, now, self.seconds(now), outcome, reason, reason and "It said nothing."
        )

    @property
    def check(self) -> Check:
        return Check(
            self.name,
            self.kind,
            timedelta(seconds=self.every),
            timedelta(seconds=self.timeout),
            self.regions,
            self.run,
            self.is_heavy,
        )


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.results: list[CheckResult] = []

    def put(self, result: CheckResult) -> None:
        self.results.append(result)

    def of(self, name: str) -> list[CheckResult]:
        return [result for result in self.results if result.check == name]


def first_start(target: Target) -> float:
    """When its first turn is due, in seconds since START."""
    grid = grid_of(target.kind, target.name, "eu", timedelta(seconds=target.every))
    return grid.start_of(grid.first_from(START.timestamp())) - START.timestamp()


def failing(start: float, end: float) -> Callable[[datetime], Outcome]:
    """Fails in [start, end), in seconds since START."""
    return lambda now: Outcome.FAILED if start <= seconds_in(now) < end else Outcome.OK
