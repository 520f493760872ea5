"""A prober in a process of its own, for `benchmarks.prober`: `python -m benchmarks.prober_process TASK`, which is JSON.

Prints what it measured of itself as JSON: of the time after the first full round of all checks, so that what is
imported or connected once does not count.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controlplane.model.check import CheckKind, CheckResult
from controlplane.model.source import SourcePosition
from synthetics.prober.engine import Prober
from synthetics.prober.grid import grid_of
from synthetics.prober.loops import run_loop
from synthetics.probes.model import Probe
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule, TLSOptions
from synthetics.probes.running import Place, check_of
from synthetics.regions.spool import Spool

REGION = "local"
_DRAIN_SECONDS = 5.0  # what began within the time is told


@dataclass(frozen=True)
class Task:
    """What to run: `probes` of them, every so often, for so long; every n-th of them over TLS."""

    plain: str
    secure: str
    ca_file: str
    folder: str
    probes: int
    every_seconds: float
    seconds: float
    secure_one_in: int


@dataclass(frozen=True)
class Measured:
    """`delays`: actual less planned start of each run, in seconds. `processor` of one core, as a share."""

    delays: list[float]
    processor: float
    peak_mib: float
    outcomes: dict[str, int]
    latency_p99: float


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class _Sink:
    """The durable spool that probers have, and a note of each run."""

    def __init__(self, folder: Path) -> None:
        self._spool = Spool(folder / "spool.db", region=REGION, prober="benchmark")
        self.results: list[tuple[str, float, float]] = []
        self.outcomes: Counter[str] = Counter()

    def put(self, result: CheckResult) -> None:
        self._spool.put(result)
        self.results.append((result.check, result.started_at.timestamp(), result.duration_seconds))
        self.outcomes[result.outcome.value] += 1


def main(task: Task) -> Measured:
    """Run it."""
    sink = _Sink(Path(task.folder))
    prober = Prober(region=REGION, sink=sink, clock=_Clock())
    place = Place(REGION, os.urandom)
    prober.replace(check_of(probe, place) for probe in _probes(task))
    spent: list[float] = []

    async def work() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        for at in (task.every_seconds, task.every_seconds + task.seconds):
            loop.call_later(at, lambda: spent.append(time.process_time()))
        loop.call_later(task.every_seconds + task.seconds + _DRAIN_SECONDS, stopping.set)
        await prober.run_until(stopping)

    started = time.time()
    run_loop(work)
    processor = (spent[1] - spent[0]) / task.seconds
    begins = started + task.every_seconds
    counted = [each for each in sink.results if begins <= each[1] < begins + task.seconds]
    every = timedelta(seconds=task.every_seconds)
    delays = []  # by the grid itself, not by what the engine says of itself
    for name, at, _ in counted:
        grid = grid_of(CheckKind.PROBE, name, REGION, every)
        delays.append(at - grid.start_of(grid.latest_until(at + 0.001)))
    latencies = sorted(seconds for _, _, seconds in counted)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(delays, processor, peak, dict(sink.outcomes), latencies[int(len(latencies) * 0.99)])


def _probes(task: Task) -> list[Probe]:
    module = HTTPModule(tls=TLSOptions(ca_file=task.ca_file))
    assertions = (
        Assertion(AssertionKind.STATUS, statuses=("2xx",)),
        Assertion(AssertionKind.HEADER, name="content-type", matches="^text/"),
        Assertion(AssertionKind.BODY, matches="xxx"),
    )
    found = []
    for number in range(task.probes):
        target = task.plain if number % task.secure_one_in else task.secure
        found.append(
            Probe(
                f"probe-{number}",
                f"{target}?n={number}",
                module,
                SourcePosition("benchmark", 1, 1),
                assertions,
                interval=timedelta(seconds=task.every_seconds),
            )
        )
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(main(Task(**json.loads(sys.argv[1]))))))
