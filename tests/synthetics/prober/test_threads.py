"""A prober in a thread, in real time: it starts, takes other checks, and ends."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from controlplane.model.check import CheckKind, CheckResult, Outcome
from synthetics.checks import Check
from synthetics.prober.engine import Limits, Prober
from synthetics.prober.loops import run_loop
from synthetics.prober.threads import ProberThread

MOST_SECONDS = 20.0


class Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Queued:
    def __init__(self) -> None:
        self.results: queue.Queue[CheckResult] = queue.Queue()

    def put(self, result: CheckResult) -> None:
        self.results.put(result)


def check(name: str, work: Callable[[], float] = lambda: 0.0) -> Check:
    async def run(now: datetime) -> CheckResult:
        await asyncio.sleep(work())
        return CheckResult(name, CheckKind.PROBE, "eu", now, 0.0, Outcome.OK)

    return Check(name, CheckKind.PROBE, timedelta(milliseconds=20), timedelta(seconds=5), frozenset(), run)


def prober(sink: Queued) -> Prober:
    return Prober(region="eu", sink=sink, clock=Wall(), limits=Limits(stop_seconds=1))


def test_a_prober_in_a_thread_runs_takes_other_checks_and_ends() -> None:
    sink = Queued()
    thread = ProberThread(prober(sink))
    thread.replace([check("first")])
    thread.start()
    assert sink.results.get(timeout=MOST_SECONDS).check == "first"
    thread.replace([check("second")])
    while sink.results.get(timeout=MOST_SECONDS).check != "second":
        pass
    thread.stop()
    assert thread.join(MOST_SECONDS)
    assert not thread.is_alive()
    thread.replace([check("third")])  # too late: no error, no effect
    thread.stop()


def test_a_thread_that_was_told_to_stop_before_it_began_ends_at_once() -> None:
    thread = ProberThread(prober(Queued()))
    thread.stop()
    thread.start()
    assert thread.join(MOST_SECONDS)


def test_stopping_in_the_middle_of_runs_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    sink = Queued()
    thread = ProberThread(prober(sink))
    thread.replace([check("slow", lambda: 1000.0), check("quick")])
    thread.start()
    sink.results.get(timeout=MOST_SECONDS)
    thread.stop()
    assert thread.join(MOST_SECONDS)
    assert set(threading.enumerate()) <= before


def test_the_loop_ends_while_a_thread_of_its_pool_still_hangs() -> None:
    released, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        released.wait(MOST_SECONDS)

    async def main() -> None:
        asyncio.get_running_loop().run_in_executor(None, hang).add_done_callback(lambda _: None)
        while not begun.is_set():
            await asyncio.sleep(0)

    started = time.monotonic()
    try:
        run_loop(main)
        assert time.monotonic() - started < MOST_SECONDS  # it would have waited that long
    finally:
        released.set()


def test_the_loop_ends_tasks_that_were_left() -> None:
    ended: list[str] = []

    async def left() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("left")

    async def main() -> None:
        tasks.append(asyncio.create_task(left()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    run_loop(main)
    assert ended == ["left"]
