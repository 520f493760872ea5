"""What 100 journeys in a row leave behind, and what one takes: browsers, processes, files, memory."""

import asyncio
import gc
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import Figure, progress, show
from controlplane.model.check import CheckResult, Outcome
from synthetics.journeys.adapters.artifacts import Artifacts
from synthetics.journeys.adapters.browser import BrowserProcess
from synthetics.journeys.adapters.http import HTTPSessions
from synthetics.journeys.environment import Environment
from synthetics.journeys.model import Journey
from synthetics.journeys.running import Runner
from tests.synthetics.journeys.demo import serving_demo
from tests.synthetics.journeys.leftovers import Leftovers, elsewhere, leftovers
from tests.synthetics.journeys.reading import WORKSPACE, example_journeys

RUNS: Final = 100
_WARM: Final = 5  # runs after which modules are loaded and pools are filled
_PATIENCE_SECONDS: Final = 60
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Campaign:
    """What many runs took, and what was there before and after them."""

    seconds: list[float]
    processor_seconds: float  # of one run
    failed: int
    before: Leftovers
    after: Leftovers
    elsewhere: int  # files outside the runs' folders


def run() -> None:
    """Measure and print."""
    journeys = example_journeys()
    with serving_demo() as (pins, variables), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        browser = asyncio.run(_campaign(journeys["core-flow"], pins, variables, folder, RUNS))
        over_api = asyncio.run(_campaign(journeys["core-flow-api"], pins, variables, folder, RUNS))
    show("Journeys: 100 in a row", [*_figures("browser", browser), *_figures("API", over_api)])


def _figures(what: str, found: _Campaign) -> list[Figure]:
    before, after = found.before, found.after
    grown = (after.resident_bytes - before.resident_bytes) / _MEBIBYTE
    return [
        Figure(f"{what}: runs that did not succeed", found.failed, "runs", 0),
        Figure("… processes left", len(after.processes - before.processes), "processes", 0),
        Figure("… files left", len(after.files - before.files), "files", 0),
        Figure("… files left elsewhere", found.elsewhere, "files", 0, detail="temporary folder, home, /dev/shm"),
        Figure("… descriptors left", after.descriptors - before.descriptors, "files", 0),
        Figure("… threads left", after.threads - before.threads, "threads", 0),
        Figure("… memory that the runner grew by", grown, "MiB", 2, detail=f"from run {_WARM} to run {RUNS}"),
        Figure("… seconds a run (median)", median(found.seconds), "s"),
        Figure("… processor time a run", found.processor_seconds, "s"),
    ]


async def _campaign(
    journey: Journey, pins: Mapping[str, str], variables: Mapping[str, str], folder: Path, count: int
) -> _Campaign:
    temporary = folder / "runs"
    temporary.mkdir(exist_ok=True)
    browser = BrowserProcess(dict(os.environ), Artifacts(folder / "kept"), temporary)
    runner = Runner(WORKSPACE, HTTPSessions(), browser, Environment(variables), os.urandom, "local", pins)
    for _ in range(_WARM):
        await _once(runner, journey)
    gc.collect()
    before, around, spent = leftovers(temporary), elsewhere(), _processor_seconds()
    seconds, failed = [], 0
    for number in range(count):
        began = time.monotonic()
        result = await _once(runner, journey)
        seconds.append(time.monotonic() - began)
        failed += result.outcome is not Outcome.OK
        if number % 10 == 9:
            progress(f"{journey.name}: run {number + 1} of {count}, {median(seconds):.2f} s each, {failed} failed")
    spent = _processor_seconds() - spent
    gc.collect()
    return _Campaign(seconds, spent / count, failed, before, leftovers(temporary), await _left(around))


async def _left(before: frozenset[str]) -> int:
    """Files that are there in the end; those of other browsers go when they end."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while (left := elsewhere() - before) and time.monotonic() < until:
        await asyncio.sleep(1)
    return len(left)


async def _once(runner: Runner, journey: Journey) -> CheckResult:
    result, _ = await runner.run(journey, datetime.now(UTC))
    return result


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
