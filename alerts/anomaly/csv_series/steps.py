"""How far apart the rows of a series are, and the grid that they lie on."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import Seconds

_DAY: Final = 86_400
_SENSIBLE: Final = (
    1, 2, 5, 10, 15, 20, 30,
    60, 120, 180, 240, 300, 600, 900, 1200, 1800,
    3600, 7200, 10_800, 14_400, 21_600, 28_800, 43_200, _DAY,
)  # fmt: skip
_NEAR: Final = 1.2  # times: jitter, not another step
_FIRST: Final = 2_000  # rows that decide: what comes later must not change the scores of what came before
_OFTEN, _MOST = 0.2, 0.8  # shares of the distances
_OFF: Final = 0.1  # of a step
_FINER: Final = 0.75  # of a step: rows nearer than that are put together


@dataclass(frozen=True, slots=True)
class Step:
    """`seconds` long; step k is what lies nearest to `offset` + k · `seconds`, or of finer rows what begins there."""

    seconds: int
    offset: float
    is_finer: bool

    @property
    def length(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(seconds=self.seconds)


def step_of(ordered: Seconds, asked: timedelta | None) -> Step | None:
    """That of times (n,) in order, without NaN: the usual distance of the first rows, as a sensible length.

    None where rows are further apart than a day. One row alone is taken for one of a minute.
    """
    head = ordered[:_FIRST]
    distances = np.diff(head)
    distances = distances[distances > 0]
    median = _usual(distances) if len(distances) else 60.0
    seconds = round(asked.total_seconds()) if asked else sensible(median)
    if seconds is None:
        return None
    if median < _FINER * seconds:
        return Step(seconds, 0.0, is_finer=True)
    residues = (head - head[0] + seconds / 2) % seconds - seconds / 2 if len(head) else np.zeros(1)
    first = float(head[0]) if len(head) else 0.0
    return Step(seconds, (first + float(np.median(residues))) % seconds, is_finer=False)


def _usual(distances: Seconds) -> float:
    """The median; of a series with many gaps the most frequent distance, where most others are multiples of it."""
    median = float(np.median(distances))
    lengths, counts = np.unique(np.round(distances), return_counts=True)
    often = float(lengths[np.argmax(counts)])
    if not 0 < often < median or counts.max() < _OFTEN * len(distances):
        return median
    off = np.abs(distances / often - np.round(distances / often))
    return often if np.mean(off < _OFF) >= _MOST else median


def sensible(seconds: float) -> int | None:
    """The length that clocks and people use: one that a day is a multiple of. None above a day (and its jitter)."""
    whole = max(round(seconds), 1)
    if abs(seconds - whole) < 0.01 * whole and _DAY % whole == 0:
        return whole
    near = min(_SENSIBLE, key=lambda each: abs(np.log(each / max(seconds, 0.5))))
    if max(near / seconds, seconds / near) <= _NEAR:
        return near
    return next((each for each in _SENSIBLE if each >= seconds), None)
