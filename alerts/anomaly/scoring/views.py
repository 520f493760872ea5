"""Series as the console lists them, from the memory of the process that scores them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from alerts.anomaly.model import BASELINES, Maturity, Output
from alerts.anomaly.scoring.latest import Latest

MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series at the newest step that was scored; None where nothing is known. `open`: outputs with an anomaly."""

    detector: str
    labels: Mapping[str, str]
    is_group: bool
    at: datetime
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    score: float | None
    sustained_score: float | None
    baseline: str
    maturity: Maturity
    coverage: float | None
    is_missing: bool
    open: tuple[Output, ...]


def series_views(found: Iterable[Latest], *, detector: str = "", most: int = MOST_SHOWN) -> list[SeriesView]:
    """Those with an open anomaly first, then the highest scores; at most so many of each detector."""
    views: list[tuple[bool, float, SeriesView]] = []
    for latest in found:
        if not detector or latest.detector == detector:
            views += [_ranked(latest, int(row)) for row in _worst(latest, most)]
    views.sort(key=lambda each: (not each[0], -each[1], each[2].detector, sorted(each[2].labels.items())))
    return [view for _, _, view in views[:most]]


def _worst(latest: Latest, most: int) -> np.ndarray:
    is_open = np.zeros(latest.size, dtype=bool)
    for each in latest.open.values():
        is_open |= each
    return np.lexsort((-np.nan_to_num(latest.score, nan=-1.0), ~is_open))[:most]


def _ranked(latest: Latest, row: int) -> tuple[bool, float, SeriesView]:
    view = SeriesView(
        detector=latest.detector,
        labels=latest.labels[row],
        is_group=bool(latest.is_group[row]),
        at=latest.at,
        value=_known(latest.value[row]),
        expected=_known(latest.expected[row]),
        lower=_known(latest.lower[row]),
        upper=_known(latest.upper[row]),
        score=_known(latest.score[row]),
        sustained_score=_known(latest.sustained_score[row]),
        baseline=BASELINES[latest.baseline[row]],
        maturity=Maturity(int(latest.maturity[row])),
        coverage=_known(latest.coverage[row]),
        is_missing=bool(latest.gap[row]),
        open=tuple(output for output, each in latest.open.items() if each[row]),
    )
    return bool(view.open), view.score if view.score is not None else -1.0, view


def _known(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
