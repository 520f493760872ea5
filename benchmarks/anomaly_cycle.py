"""A daemon's cycles: 1,000 series with four weeks of past from a real Prometheus, and 10,000 series in memory.

Each part is measured in a process of its own, so that its memory is its own.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.daemon import AnomalyDaemon
from alerts.anomaly.model import AnomalyDetector, Direction, Opening, Output, Season, Sensitivity, Values
from alerts.anomaly.scoring.result import CycleResult, Phase
from benchmarks.prometheus_data import Backend, Column
from benchmarks.report import Figure, progress, show
from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.matrix_ports import MatrixBackend, SampleMatrix
from controlplane.model.source import SourcePosition
from controlplane.store import migrate, open_store
from flyball.demo import servers

STEP: Final = timedelta(minutes=5)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
WEEKS: Final = 8_064  # steps: 4 weeks
SERIES: Final = 1_000
WIDE: Final = 10_000
STEPS: Final = 60  # cycles that are measured: a model is fitted again after 48
_AFTER: Final = timedelta(seconds=61)  # a step is complete
_BEGIN: Final = int((datetime(2026, 11, 2, tzinfo=UTC) - EPOCH) / STEP)
_SEED: Final = 9
_MEGABYTE: Final = 1e6


def run() -> None:
    """Measure, print, keep."""
    figures: list[Figure] = []
    progress(f"{SERIES:,} series from Prometheus")
    figures += _alone(_from_prometheus)
    progress(f"{WIDE:,} series in memory")
    figures += _alone(_in_memory)
    show("anomaly cycle: a daemon's turns", figures)


def _alone(measure: Any) -> list[Figure]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found: list[Figure] = pool.submit(measure).result()
        return found


# --- against a real Prometheus ----------------------------------------------------------------------------------------


def _from_prometheus() -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.prometheus(Path(folder), out_of_order="40d", block_duration="60d") as server,
    ):
        end = int(time.time()) // 300
        Backend(server.url).write(_columns(end))
        start = _megabytes()
        turns = _Turns(PrometheusMatrix(server.url), _detector(SERIES))
        cold = turns.at(end - STEPS)
        later = [turns.at(end - STEPS + number) for number in range(1, STEPS)]
        memory = _megabytes() - start
        again = _Turns(PrometheusMatrix(server.url), _detector(SERIES), folder=turns.folder)
        restarted = again.at(end)
        return [
            Figure("1,000 series: first cycle, weeks read and fitted", cold.wall, "s", detail=cold.parts),
            *_warm("1,000 series", later, 10),
            Figure("1,000 series: first cycle after a restart", restarted.wall, "s", 10, detail=restarted.parts),
            Figure("1,000 series: memory above the start", memory, "MB", 1024),
        ]


def _columns(end: int) -> Iterator[Column]:
    made = np.random.default_rng(_SEED)
    steps = np.arange(end - WEEKS - STEPS, end + 1)
    for number in range(SERIES):
        labels = {"__name__": "traffic", "service": f"service-{number:04}", "region": f"region-{number % 10}"}
        noise = 1 + 0.05 * made.standard_normal(len(steps))
        yield labels, steps * 300.0, made.uniform(10, 1000) * _shape(steps) * noise


# --- in memory --------------------------------------------------------------------------------------------------------


@dataclass
class Made:
    """A `MatrixBackend` that makes up what it is asked for, so that it takes no memory."""

    series: int
    labels: tuple[Mapping[str, str], ...] = field(init=False)
    levels: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        names = range(self.series)
        self.labels = tuple({"region": f"region-{row % 50}", "service": f"service-{row:05}"} for row in names)
        self.levels = np.random.default_rng(_SEED).uniform(10, 1000, self.series).astype(np.float32)

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        """Seasons and noise; the noise of a step is always the same."""
        del query, most_series, exact
        first, last = -((EPOCH - start) // step), (end - EPOCH) // step
        values = np.empty((self.series, last - first + 1), dtype=np.float32)
        for place, index in enumerate(range(first, last + 1)):
            noise = np.random.default_rng(index).standard_normal(self.series, dtype=np.float32)
            values[:, place] = self.levels * np.float32(_shape(np.array([index]))[0]) * (1 + 0.05 * noise)
        return SampleMatrix(self.labels, first, step, values)


def _in_memory() -> list[Figure]:
    start = _megabytes()
    turns = _Turns(Made(WIDE), _detector(WIDE))
    cold = turns.at(_BEGIN)
    later = [turns.at(_BEGIN + number) for number in range(1, STEPS)]
    scrapes = [_timed(lambda: turns.daemon.board.joined(b"up 1\n", "text/plain")) for _ in range(20)]
    text = turns.daemon.board.text()
    score = float(np.median([turn.seconds[Phase.SCORE] for turn in later])) * 1000
    memory = _megabytes() - start
    again = _Turns(Made(WIDE), _detector(WIDE), folder=turns.folder)
    restarted = again.at(_BEGIN + STEPS)
    return [
        Figure("10,000 series: all models fitted", cold.seconds[Phase.FIT], "s", 10, detail="two threads"),
        Figure("10,000 series: first cycle", cold.wall, "s", detail=cold.parts),
        *_warm("10,000 series", later, 10),
        Figure("10,000 series: a step scored and judged, median", score, "ms", detail="40 models"),
        Figure("10,000 series: first cycle after a restart", restarted.wall, "s", detail=restarted.parts),
        Figure("10,000 series: a scrape, worst of 20", max(scrapes) * 1000, "ms", 50),
        Figure("10,000 series: text of a scrape", len(text) / _MEGABYTE, "MB", detail=f"{text.count(10):,} lines"),
        Figure("10,000 series: models in the store", turns.stored / _MEGABYTE, "MB"),
        Figure("10,000 series: memory above the start", memory, "MB", 1024),
    ]


# --- both -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One turn."""

    wall: float
    seconds: Mapping[Phase, float]

    @property
    def parts(self) -> str:
        """How much of it was what."""
        return ", ".join(f"{phase.value} {seconds:.2g} s" for phase, seconds in self.seconds.items())


class _Turns:
    """A daemon over a database of its own, or over that of another one."""

    def __init__(self, source: MatrixBackend, detector: AnomalyDetector, folder: str = "") -> None:
        self.folder = folder or tempfile.mkdtemp()
        url = f"sqlite:///{self.folder}/state.db"
        if not folder:
            migrate(url)
        self._store = open_store(url)
        self._now = EPOCH
        self._results: list[CycleResult] = []
        self.daemon = AnomalyDaemon(self._store, lambda: [detector], source, self)
        observe = self.daemon.collector.observe
        self.daemon.collector.observe = lambda result: (self._results.append(result), observe(result))[1]  # type: ignore[method-assign]

    def now(self) -> datetime:
        return self._now

    def at(self, index: int) -> Measured:
        """The turn in which that step is scored; turns that only read the past before it count as part of it."""
        self._now, begun, seconds = EPOCH + index * STEP + _AFTER, time.perf_counter(), dict[Phase, float]()
        scored = False
        while not scored:
            turn = self.daemon.run_once(self._now)
            if turn.failed:
                raise RuntimeError(str(turn.failed))
            for phase, taken in self._results[-1].seconds.items():
                seconds[phase] = seconds.get(phase, 0.0) + taken
            scored = turn.steps > 0
        return Measured(time.perf_counter() - begun, seconds)

    @property
    def stored(self) -> int:
        """Bytes of models."""
        with self._store.transaction(read_only=True) as transaction:
            return sum(len(each.body) for each in transaction.anomalies.models("traffic"))


def _warm(whose: str, later: list[Measured], limit: float) -> Iterator[Figure]:
    walls = [turn.wall for turn in later]
    slowest = max(later, key=lambda turn: turn.wall)
    yield Figure(f"{whose}: a warm cycle, median", float(np.median(walls)), "s")
    yield Figure(f"{whose}: a warm cycle, slowest of {len(later)}", slowest.wall, "s", limit, detail=slowest.parts)


def _detector(most: int) -> AnomalyDetector:
    return AnomalyDetector(
        name="traffic", display_name="", query="traffic", cost=None, step=STEP, season=Season(), values=Values.GAUGE,
        direction=Direction.BOTH, least_absolute=Decimal(5), least_relative=Decimal("0.1"), denominator="",
        least_denominator=None, sensitivity=Sensitivity.MEDIUM, outputs=(Output.POINT,), calendars=(), grouping=None,
        opening=Opening(3, 5, 6), severity="page", most_series=most, labels={}, runbook_url="",
        source=SourcePosition("detectors.yaml", 1, 1),
    )  # fmt: skip


def _shape(steps: NDArray[np.int64]) -> NDArray[np.float64]:
    day = 1.5 + np.sin(steps / 288 * 2 * np.pi)
    return np.asarray(day * np.where(steps // 288 % 7 < 5, 1.0, 0.6), dtype=np.float64)


def _timed(call: Any) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE


if __name__ == "__main__":
    run()
