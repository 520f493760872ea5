"""The past of a detector's series, read from a metrics backend."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.backtesting.model import Past
from alerts.anomaly.detector.settings import history_steps
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.reading.block import Block, read
from alerts.anomaly.reading.freshness import Freshness
from alerts.anomaly.scoring.terms import reading_terms
from controlplane.matrix_ports import MatrixBackend
from controlplane.ports import Permanent

Progress = Callable[[float], None]
MOST_CELLS: Final = 40_000_000  # series × steps: 160 MB as float32, some times that with scores
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PIECE: Final = timedelta(days=4)
_LEAST_PIECE: Final = 64  # steps


def warm_up(detector: AnomalyDetector) -> timedelta:
    """How much is read before a time that is to be judged: what a live model is fitted on."""
    return history_steps(detector.step) * detector.step


def read_past(
    source: MatrixBackend,
    detector: AnomalyDetector,
    start: datetime,
    end: datetime,
    *,
    query: str = "",
    progress: Progress = lambda share: None,
) -> Past:
    """Whole steps from `start` to before `end`, the newest last. `query` stands in place of the detector's.

    Raises `Permanent` when that is more than is kept in memory, and what the source raises.
    """
    step = detector.step
    first, stop = -((_EPOCH - start) // step), (end - _EPOCH) // step
    terms = reading_terms(detector)
    terms = replace(terms, query=query or terms.query, capacity=max(stop - first, 1))
    freshness = Freshness(terms)
    table = _Table(first, max(stop - first, 0))
    piece = max(_PIECE // step, _LEAST_PIECE)
    for at in range(first, stop, piece):
        table.add(read(source, terms, at, min(piece, stop - at), freshness))
        progress(min((at + piece - first) / (stop - first), 1.0))
    return table.past(step)


class _Table:
    """Rows by series, in the order in which they come."""

    def __init__(self, first: int, count: int) -> None:
        self._first = first
        self._count = count
        self._rows: dict[object, int] = {}
        self._labels: list[Mapping[str, str]] = []
        self._values: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
        self._warnings: dict[str, None] = {}

    def add(self, block: Block) -> None:
        at = block.first - self._first
        for key, labels, values in zip(block.keys, block.labels, block.values, strict=True):
            row = self._rows.setdefault(key, len(self._labels))
            if row == len(self._labels):
                if (row + 1) * self._count > MOST_CELLS:
                    message = f"{row + 1:,} series × {self._count:,} steps are more than {MOST_CELLS:,} samples"
                    raise Permanent(f"{message}: choose series, or a shorter time")
                self._labels.append(labels)
                self._values.append(np.full(self._count, np.nan, dtype=np.float32))
            self._values[row][at : at + len(values)] = values
        self._warnings.update(dict.fromkeys(block.warnings))

    def past(self, step: timedelta) -> Past:
        shape = (0, self._count)
        values = np.stack(self._values) if self._values else np.empty(shape, dtype=np.float32)
        return Past(tuple(self._labels), self._first, step, values, tuple(self._warnings))
