"""Scores of one step as arrays over any rows."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Scores

_CODES: Final = frozenset({"baseline", "maturity"})
_FLAGS: Final = frozenset({"shifted"})
_NAMES: Final = tuple(field.name for field in fields(StepScores))


def no_scores(rows: int) -> StepScores:
    """Of rows of which nothing is known."""
    return StepScores(**{name: _nothing(name, rows) for name in _NAMES})


def scattered(rows: int, parts: Sequence[tuple[NDArray[np.int64], StepScores]]) -> StepScores:
    """Each part's scores at its rows; −1 is no row."""
    found = {name: _nothing(name, rows) for name in _NAMES}
    for places, scores in parts:
        here = places >= 0
        for name, array in found.items():
            array[places[here]] = getattr(scores, name)[here]
    return StepScores(**found)


def taken(scores: StepScores, rows: NDArray[np.int64]) -> StepScores:
    """Those of some rows."""
    return StepScores(**{name: getattr(scores, name)[rows] for name in _NAMES})


def joined(parts: Sequence[StepScores]) -> StepScores:
    """One after the other."""
    return StepScores(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES})


def _nothing(name: str, rows: int) -> NDArray[Any]:
    if name in _FLAGS:
        return np.zeros(rows, dtype=bool)
    if name in _CODES:
        return np.zeros(rows, dtype=np.uint8)
    return np.full(rows, np.nan, dtype=np.float32)


def column_of(scores: Scores, place: int) -> StepScores:
    """One step of a history of scores."""
    return StepScores(**{name: getattr(scores, name)[:, place] for name in _NAMES})
