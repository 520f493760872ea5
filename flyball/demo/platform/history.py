"""The simulated month as remote write requests, in time order."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import snappy

from controlplane import conventions
from controlplane.adapters.remote_write import STALE, ColumnarSeries, encode, encoded_labels
from flyball.demo.platform import infrastructure
from flyball.demo.platform.layout import PodLayout
from flyball.demo.platform.pods import Life, Slot
from flyball.demo.platform.simulation import Chunk, Simulation
from flyball.demo.platform.traffic import Integers

MILLISECONDS: Final = 60_000
_RECENT_MINUTES: Final = 26 * 60
_GAUGE_STEP_MINUTES: Final = 2


def write_history(simulation: Simulation, send: Callable[[bytes], None], progress: Callable[[float], None]) -> int:
    """Send the whole history and return how many samples it had; `progress` is told the share that is done.

    One sample every two minutes; every minute during the last day, which burn rates look at closely, and of services
    that count single events at fixed times, which a rate could miss between its windows.
    """
    samples = 0
    span = simulation.seam - simulation.start
    for body, count, minute in requests(simulation):
        send(body)
        samples += count
        progress((minute - simulation.start) / span)
    return samples


def requests(simulation: Simulation) -> Iterator[tuple[bytes, int, int]]:
    """Compressed `WriteRequest`s in time order, each with its number of samples and the last minute in it."""
    labels: dict[Life, list[bytes]] = {}
    for chunk in simulation.history():
        series = [one for run in _runs(simulation, chunk, labels) for one in run]
        series.extend(_gauges(simulation, chunk.minutes))
        yield snappy.compress(encode(series)), sum(one.values.size for one in series), int(chunk.minutes[-1])


def _runs(simulation: Simulation, chunk: Chunk, labels: dict[Life, list[bytes]]) -> Iterator[list[ColumnarSeries]]:
    recent = int(chunk.minutes[0]) >= simulation.seam - _RECENT_MINUTES
    scheduled = {stream.flow.service for stream in simulation.traffic.streams if stream.flow.every_minutes}
    for run in chunk.runs:
        slot, layout = simulation.slots[run.slot], simulation.layouts[run.slot]
        if run.life not in labels:
            labels[run.life] = encoded(slot, run.life, layout)
        minutes = chunk.minutes[run.low : run.high]
        step = 1 if recent or slot.service.name in scheduled else 2
        rows = np.flatnonzero((minutes % step == 0) | (minutes == run.life.start))
        cells = chunk.values[run.low : run.high][rows][:, simulation.slot_cells(run.slot)]
        over = run.ends and run.life.replaced and run.life.end <= simulation.seam
        yield columns(layout, minutes[rows], cells, labels[run.life], stale_at=run.life.end if over else None)


def _gauges(simulation: Simulation, minutes: Integers) -> Iterator[ColumnarSeries]:
    """What the exporter of costs said, and a mark of its end in the first minute in which a series is gone."""
    before = np.concatenate([minutes[:1] - 1, minutes])
    for gauge in simulation.infrastructure.gauges(before):
        alive, was = gauge.alive[1:], gauge.alive[:-1]
        rows = np.flatnonzero((alive & (minutes % _GAUGE_STEP_MINUTES == 0)) | (alive != was))
        if rows.size:
            values = np.where(alive[rows], gauge.value, STALE)
            labels = encoded_labels({"__name__": gauge.name, **dict(gauge.labels), **dict(infrastructure.TARGET)})
            yield ColumnarSeries(labels, minutes[rows] * MILLISECONDS, values)


def columns(
    layout: PodLayout, minutes: Integers, cells: Integers, labels: list[bytes], *, stale_at: int | None = None
) -> list[ColumnarSeries]:
    """A pod's series from its counts, shape (minutes, cells); `stale_at`: the minute in which they end."""
    values = np.column_stack([layout.expand(cells), np.ones(len(minutes))])
    if stale_at is not None:
        minutes = np.append(minutes, stale_at)
        values = np.vstack([values, np.full(values.shape[1], STALE)])
    times = minutes * MILLISECONDS
    return [ColumnarSeries(labels[i], times, column) for i, column in enumerate(np.ascontiguousarray(values.T))]


def encoded(slot: Slot, life: Life, layout: PodLayout) -> list[bytes]:
    """The labels of a pod's series, in the order of its layout."""
    target = dict(life.target_labels, job=slot.service.name)
    build = {conventions.SERVICE: slot.service.name, "version": life.version}
    named = [(one.name, dict(one.labels)) for one in layout.series] + [(conventions.BUILD_INFO, build)]
    return [encoded_labels({"__name__": name, **own, **target}) for name, own in named]
