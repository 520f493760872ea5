"""What one pod of a service exposes: the order of its cells and how they become series."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client.utils import floatToGoString

from flyball.demo.platform.shapes import Cell, Flow, Labels, Service, Tenant
from flyball.demo.platform.traffic import Floats, Integers, Stream


@dataclass(frozen=True, slots=True)
class PodSeries:
    """One series of a pod; `seconds` is a typical value for its exemplars, None when it bears none."""

    family: str
    name: str
    labels: Labels
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """Cells [first, end) that make one histogram, whose series begin at `series`."""

    first: int
    end: int
    series: int
    seconds: tuple[float, ...]


class PodLayout:
    """The cells of one pod of a service: `columns` are stream × 2 + bad, `weights` shares of that within the service.

    A cell is a primary count; a histogram's buckets are running sums of its cells.
    """

    def __init__(self, service: Service, streams: tuple[Stream, ...]) -> None:
        self.service: Final = service
        self.series: Final[list[PodSeries]] = []
        self.flows: Final[dict[str, Flow]] = {}
        columns: list[int] = []
        weights: list[float] = []
        self._counters: list[tuple[int, int]] = []
        self._observations: list[tuple[int, int, int]] = []
        self._blocks: list[_Block] = []
        self._mirrored: list[tuple[int, int]] = []
        self._exemplars: list[tuple[int, int]] = []
        for number, stream in enumerate(streams):
            if stream.flow.service != service.name:
                continue
            self.flows.setdefault(stream.flow.metric, stream.flow)
            for route, share in stream.flow.routes or (("", 1.0),):
                self._add(stream, route, first=len(columns))
                columns.extend(2 * number + cell.bad for cell in stream.flow.cells)
                weights.extend(cell.weight * share for cell in stream.flow.cells)
        self.columns: Final[NDArray[np.intp]] = np.array(columns, dtype=np.intp)
        self.weights: Final[Floats] = np.array(weights)

    @property
    def mirrored(self) -> tuple[tuple[int, int], ...]:
        """(good, bad) cells of scheduled flows: exactly one of the two gets the event."""
        return tuple(self._mirrored)

    @property
    def exemplars(self) -> tuple[tuple[int, int], ...]:
        """(series, cell) of what bears exemplars: every bucket, and counters of bad events."""
        return tuple(self._exemplars)

    def _add(self, stream: Stream, route: str, *, first: int) -> None:
        flow = stream.flow
        common = flow.labels + _tenant(stream.tenant) + ((("route", route),) if route else ())
        if flow.every_minutes:
            self._mirrored.append((first, first + 1))
        if flow.is_histogram:
            self._blocks.append(
                _Block(first, first + len(flow.cells), len(self.series), tuple(cell.seconds for cell in flow.cells))
            )
            self._exemplars.extend((len(self.series) + i, first + i) for i in range(len(flow.cells)))
            self.series.extend(_histogram(flow, common))
            return
        if flow.per_observation:
            self._observations.append((len(self.series), len(self.series) + 1, flow.per_observation))
            self._counters.append((first, len(self.series)))
            self.series.extend(PodSeries(flow.metric, f"{flow.metric}_{part}", common) for part in ("sum", "count"))
            return
        for offset, cell in enumerate(flow.cells):
            self._counters.append((first + offset, len(self.series)))
            if cell.bad:
                self._exemplars.append((len(self.series), first + offset))
            seconds = 1.0 if cell.bad else None
            self.series.append(
                PodSeries(flow.metric.removesuffix("_total"), flow.metric, common + cell.labels, seconds)
            )

    def expand(self, cells: Integers) -> Floats:
        """The values of all series, shape (times, series), from counts of shape (times, cells)."""
        values = np.empty((cells.shape[0], len(self.series)))
        if self._counters:
            source, target = np.array(self._counters).T
            values[:, target] = cells[:, source]
        for units, count, per_observation in self._observations:
            values[:, count] = values[:, units] // per_observation
        for block in self._blocks:
            counts = cells[:, block.first : block.end]
            width = counts.shape[1]
            values[:, block.series : block.series + width] = np.cumsum(counts, axis=1)
            values[:, block.series + width] = counts.sum(axis=1)
            values[:, block.series + width + 1] = counts @ np.array(block.seconds)
        return values


def _histogram(flow: Flow, common: Labels) -> list[PodSeries]:
    buckets = [
        PodSeries(flow.metric, f"{flow.metric}_bucket", (*common, ("le", _bound(cell))), cell.seconds)
        for cell in flow.cells
    ]
    rest = [PodSeries(flow.metric, f"{flow.metric}_{part}", common) for part in ("count", "sum")]
    return buckets + rest


def _bound(cell: Cell) -> str:
    assert cell.le is not None
    return str(floatToGoString(cell.le))  # type: ignore[no-untyped-call]


def _tenant(tenant: Tenant | None) -> Labels:
    return (("tenant", tenant.name),) if tenant else ()
