"""Reading weeks of many series: prometheus-api-client, the adapter of single queries, and the thin reader.

Each way is measured in a process of its own: processor time of that process alone, wall time with the server's, memory
above what it had after its imports. Decision 0018 is drawn from these figures.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.prometheus_data import Backend, Column
from benchmarks.report import Figure, progress, show
from controlplane.matrix_ports import SampleMatrix
from flyball.demo import servers

STEP: Final = timedelta(minutes=5)
WEEKS: Final = 8_064  # steps: 4 weeks
FEW: Final = 7  # one new step, six read again
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SERIES: Final = 1_000
WIDE: Final = 10_000
_SEED: Final = 18


def run() -> None:
    """Measure, print, keep."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.prometheus(Path(folder), out_of_order="40d", block_duration="60d") as server,
    ):
        end = int(time.time()) // 300 * 300
        progress(f"{SERIES:,} series of {WEEKS:,} steps, {WIDE:,} of {2 * FEW}")
        Backend(server.url).write(_columns(end))
        figures = [*_weeks(server.url, end), *_newest(server.url, end), *_imports(), *_buffer(server.url, end)]
    show("anomaly reading: weeks of many series from Prometheus", figures)


def _columns(end: int) -> Iterator[Column]:
    made = np.random.default_rng(_SEED)
    day = np.sin(np.arange(WEEKS) / 288 * 2 * np.pi)
    times = end - 300.0 * np.arange(WEEKS - 1, -1, -1)
    for number in range(SERIES):
        labels = {"__name__": "traffic", "service": f"service-{number:04}", "kind": "few" if number < 200 else "more"}
        yield labels, times, made.uniform(10, 1000) * (2 + day + 0.1 * made.standard_normal(WEEKS))
    for number in range(WIDE):
        labels = {"__name__": "wide", "service": f"service-{number:05}", "region": "eu-central"}
        yield labels, times[-2 * FEW :], made.uniform(10, 1000) + made.standard_normal(2 * FEW)


def _weeks(url: str, end: int) -> Iterator[Figure]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for query, ways in (
        ('traffic{kind="few"}', ("thin", "gzip", "client", "single", "frame")),
        ("traffic", ("thin", "client")),
    ):
        for way in ways:
            progress(f"4 weeks of {query}: {way}")
            found[query, way] = _alone("weeks", way, url, query, end)
    for (query, way), told in found.items():
        yield Figure(f"4 weeks of {query}, {way}: processor", told["cpu"], "s", detail=_detail(told))
    few, many = 'traffic{kind="few"}', "traffic"
    for query, name in ((few, "200"), (many, "1,000")):
        yield Figure(
            f"{name} series: processor time, thin ÷ client",
            found[query, "thin"]["cpu"] / found[query, "client"]["cpu"],
            "",
            0.6,
        )
    array = SERIES * WEEKS * 4 / 1e6
    yield Figure("1,000 series: memory of the thin reader ÷ the array", found[many, "thin"]["megabytes"] / array, "", 4)


def _newest(url: str, end: int) -> Iterator[Figure]:
    for query in ('traffic{kind="few"}', "traffic", "wide"):
        for way in ("thin", "client"):
            told = _alone("newest", way, url, query, end)
            yield Figure(
                f"newest {FEW} steps of {query}, {way}: processor", told["cpu"] * 1000, "ms", detail=_detail(told)
            )
    told = _alone("newest", "both", url, "wide", end)
    yield Figure("newest steps of 10,000 series, as they are read: processor", told["cpu"], "s", 0.5)


def _imports() -> Iterator[Figure]:
    for name in ("httpx", "prometheus_api_client.prometheus_connect", "pandas"):
        code = f"import time, numpy, orjson; b = time.process_time(); import {name}; print(time.process_time() - b)"
        tries = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(3)]
        yield Figure(f"import of {name}, after numpy", min(float(each.stdout) for each in tries), "s")


def _buffer(url: str, end: int) -> Iterator[Figure]:
    progress("a buffer from its first cycle to four weeks")
    told = _alone("buffer", "both", url, "traffic", end)
    yield Figure("buffer of 1,000 series: first cycle, wall", told["first"], "s", 2)
    yield Figure("… a piece of the past, the slowest, wall", told["piece"], "s", 5)
    yield Figure("… all four weeks, wall", told["all"], "s", detail=f"{told['pieces']:.0f} pieces")
    yield Figure("… a cycle with a new step, wall", told["cycle"], "s", 1)
    yield Figure(
        "… memory ÷ the array",
        told["megabytes"] / (SERIES * WEEKS * 4 / 1e6),
        "",
        4,
        detail=f"{told['megabytes']:.0f} MB",
    )
    large = _alone("large", "", url, "", end)
    yield Figure("buffer of 10,000 series × 4 weeks, a source without cost: memory", large["megabytes"], "MB", 600)
    yield Figure("… the slowest piece of the past, processor", large["piece"], "s", 2)
    yield Figure("… a cycle with a new step, processor, median", large["cycle"] * 1000, "ms", 200)


def _detail(told: dict[str, float]) -> str:
    return f"wall {told['wall']:.3g} s, {told['megabytes']:.0f} MB"


def _alone(what: str, way: str, url: str, query: str, end: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.anomaly_reading", what, way, url, query, str(end)]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {str(name): float(value) for name, value in told.items()}


def _child(what: str, way: str, url: str, query: str, end: int) -> dict[str, float]:
    if what == "buffer":
        return _of_buffer(url, query, end)
    if what == "large":
        return _of_large_buffer(end)
    steps = WEEKS if what == "weeks" else FEW
    ask = _way(way, url, query, EPOCH + timedelta(seconds=end) - (steps - 1) * STEP, EPOCH + timedelta(seconds=end))
    if what == "weeks":
        return _measured(ask)
    ask()
    told = [_measured(ask) for _ in range(15)]
    return {name: float(np.median([each[name] for each in told])) for name in told[0]}


def _measured(ask: Callable[[], object]) -> dict[str, float]:
    _forget_peak()
    memory, cpu, wall = _megabytes(), time.process_time(), time.perf_counter()
    kept = ask()
    told = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "megabytes": _megabytes() - memory}
    del kept
    return told


def _way(way: str, url: str, query: str, start: datetime, end: datetime) -> Callable[[], Any]:
    if way == "single":
        from controlplane.adapters.prometheus import PrometheusBackend

        single = PrometheusBackend(url, timeout_seconds=600)
        return lambda: single.query_range(query, start, end, STEP)
    if way == "frame":
        from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect

        client = PrometheusConnect(url)
        return lambda: MetricRangeDataFrame(client.custom_query_range(query, start, end, "300s"))
    from controlplane.adapters.prometheus_matrix import CLIENT_STEPS, PrometheusMatrix

    steps = {"thin": 0, "gzip": 0, "client": 1_000_000, "both": CLIENT_STEPS}[way]
    matrix = PrometheusMatrix(url, timeout_seconds=600, client_steps=steps, compressed=way == "gzip")
    if way == "client":
        import controlplane.adapters.prometheus_matrix_client  # noqa: F401 -- its time is measured apart
    return lambda: matrix.matrix(query, start, end, STEP, most_series=20_000)


def _of_buffer(url: str, query: str, end: int) -> dict[str, float]:
    from alerts.anomaly.reading.history import History
    from alerts.anomaly.reading.model import ReadingTerms
    from controlplane.adapters.prometheus_matrix import PrometheusMatrix

    source = PrometheusMatrix(url, timeout_seconds=600)
    _forget_peak()
    memory, begun = _megabytes(), time.perf_counter()
    history = History(ReadingTerms(query, STEP, WEEKS, SERIES, delay=timedelta(0)))
    history.advance(source, EPOCH + timedelta(seconds=end) - STEP)
    first, pieces = time.perf_counter() - begun, []
    while history.remaining:
        at = time.perf_counter()
        history.fill(source)
        pieces.append(time.perf_counter() - at)
    whole, at = time.perf_counter() - begun, time.perf_counter()
    assert history.advance(source, EPOCH + timedelta(seconds=end)).count == 1
    assert np.isfinite(history.values[:, 1:]).all()
    return {
        "first": first,
        "piece": max(pieces),
        "pieces": len(pieces),
        "all": whole,
        "cycle": time.perf_counter() - at,
        "megabytes": _megabytes() - memory,
    }


class _Instant:
    """A source that has every sample at once."""

    labels: Final = tuple({"service": f"service-{number:05}"} for number in range(WIDE))

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        values = np.full((WIDE, (end - start) // step + 1), 1.5, dtype=np.float32)
        return SampleMatrix(self.labels, (start - EPOCH) // step, step, values)


def _of_large_buffer(end: int) -> dict[str, float]:
    from alerts.anomaly.reading.history import History
    from alerts.anomaly.reading.model import ReadingTerms

    source, now = _Instant(), EPOCH + timedelta(seconds=end)
    _forget_peak()
    memory = _megabytes()
    history = History(ReadingTerms("", STEP, WEEKS, WIDE, delay=timedelta(0)))
    history.advance(source, now)
    pieces, cycles = [], []
    while history.remaining:
        pieces.append(_processor(lambda: history.fill(source)))
    for step in range(1, 301):  # the window is moved back once in 288
        cycles.append(_processor(lambda step=step: history.advance(source, now + step * STEP)))  # type: ignore[misc]
    return {"megabytes": _megabytes() - memory, "piece": max(pieces), "cycle": float(np.median(cycles))}


def _processor(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _megabytes() -> float:
    """The most memory that this process has had since it last forgot that."""
    return next(
        int(line.split()[1]) / 1000
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    print(json.dumps(_child(*sys.argv[1:5], int(sys.argv[5]))))
