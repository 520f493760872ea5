"""What it costs to fit the anomaly detector, to refit it, and to score a step; beside statsmodels' STL.

Four weeks of five-minute steps (8,064). CPU time where it says so: it depends less on who else is on the machine.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final

import numpy as np

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.live import FittedModel, fit, unpack
from alerts.anomaly.detector.model import Floats, Grid, Panel, Phases, Terms
from alerts.anomaly.detector.settings import refit_steps
from alerts.anomaly.detector.utc import plain_phases
from benchmarks.report import Figure, progress, show

STEP: Final = timedelta(minutes=5)
STEPS: Final = 28 * 288
AHEAD: Final = 2 * refit_steps(STEP)
SERIES: Final = 10_000
CHUNK: Final = 100
_MIB: Final = 2**20


def run() -> None:
    """Measure each in a process of its own, so that memory is its own too; print, keep."""
    figures: list[Figure] = []
    for part in (_single, _many, _stl):
        progress(part.__doc__ or "")
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures += pool.apply(part)
    show("anomaly fit: fitting and scoring the detector", figures)


def made(random: np.random.Generator, series: int) -> Floats:
    """Series with a day, a week, noise in proportion and a few gaps."""
    steps = np.arange(STEPS, dtype=np.float32)
    day = 1 + 0.6 * np.sin(2 * np.pi * steps / 288, dtype=np.float32)
    week = np.where(steps // 288 % 7 < 5, 1, 0.7).astype(np.float32)
    noise = random.standard_normal((series, STEPS), dtype=np.float32) * np.float32(0.05) + 1
    values: Floats = random.uniform(10, 1e6, (series, 1)).astype(np.float32) * day * week * noise
    return values


def _panel(values: Floats, phases: Phases) -> Panel:
    return Panel(values, Grid(0, STEP, STEPS), phases)


def _phases() -> Phases:
    return plain_phases(Grid(0, STEP, STEPS + AHEAD))


def _single() -> list[Figure]:
    """chunks of 100 series, one core"""
    values, phases = made(np.random.default_rng(1), CHUNK), _phases()
    panel = _panel(values, phases)
    model = fit(panel, Terms())
    first = min(_cpu(lambda: fit(panel, Terms())) for _ in range(5)) / CHUNK
    again = min(_cpu(lambda: fit(panel, Terms(), unpack(model.pack()).carried())) for _ in range(3)) / CHUNK
    past = _cpu(lambda: score_history(panel, Terms())) / CHUNK
    packed = len(model.pack()) / CHUNK
    return [
        Figure("a fit from nothing, a series (CPU)", 1e3 * first, "ms", 1.0),
        Figure("a fit from what is carried, a series (CPU)", 1e3 * again, "ms"),
        Figure("scoring four weeks of a past, a series (CPU)", 1e3 * past, "ms"),
        Figure("a packed model, a series", packed / 1024, "KiB"),
    ]


def _many() -> list[Figure]:
    """10,000 series, two threads"""
    random, phases = np.random.default_rng(2), _phases()
    values = np.empty((SERIES, STEPS), dtype=np.float32)
    for start in range(0, SERIES, CHUNK):
        values[start : start + CHUNK] = made(random, CHUNK)
    started = time.perf_counter()
    models = list(_fits(values, phases, [None] * (SERIES // CHUNK)))
    first = time.perf_counter() - started
    started = time.perf_counter()
    models = list(_fits(values, phases, models))
    again = time.perf_counter() - started
    del models
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    model = fit(_panel(values, phases), Terms())
    steps = [np.ascontiguousarray(values[:, -288 + step]) for step in range(60)]
    seconds = [_wall(partial(model.score, steps[at], STEPS + at)) for at in range(60)]
    return [
        Figure("10,000 series fitted from nothing, two threads", first, "s", 10.0),
        Figure("10,000 series refitted, two threads", again, "s", 10.0),
        Figure("peak memory of that, ring buffer included", memory, "MiB", 1024),
        Figure("the ring buffer alone", values.nbytes / _MIB, "MiB"),
        Figure("a step of 10,000 series, median", 1e3 * float(np.median(seconds)), "ms", 5.0),
        Figure("a step of 10,000 series, slowest of 60 (an hour begins)", 1e3 * max(seconds), "ms"),
    ]


def _fits(values: Floats, phases: Phases, models: Sequence[FittedModel | None]) -> Iterator[FittedModel]:
    def one(place: int) -> FittedModel:
        model = models[place]
        panel = _panel(values[place * CHUNK : (place + 1) * CHUNK], phases)
        return fit(panel, Terms(), model.carried() if model is not None else None)

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(one, range(SERIES // CHUNK))


def _stl() -> list[Figure]:
    """statsmodels' STL of one series"""
    from statsmodels.tsa.seasonal import STL

    series = made(np.random.default_rng(3), 1)[0].astype(np.float64)
    plain = _cpu(lambda: STL(series, period=288).fit())
    jumps = _cpu(lambda: STL(series, period=288, seasonal_jump=29, trend_jump=44, low_pass_jump=29).fit())
    return [
        Figure("peer: STL of one series (CPU)", 1e3 * plain, "ms"),
        Figure("peer: STL with jumps of a tenth (CPU)", 1e3 * jumps, "ms"),
    ]


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _wall(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
