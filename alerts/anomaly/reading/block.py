"""One reading: a query, and its denominator, as samples on the grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats
from alerts.anomaly.reading.buffer import Key, key_of
from alerts.anomaly.reading.freshness import Freshness
from alerts.anomaly.reading.model import ReadingTerms
from alerts.anomaly.reading.rates import LEAD_STEPS, rates
from controlplane.matrix_ports import MatrixBackend, SampleMatrix

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALLOWANCE: Final = 2  # a reading may have so many times the rows that there are: series come and go within it


@dataclass(frozen=True, slots=True)
class Block:
    """`values` (series × steps from `first`); `seen`: where there was a sample, whether or not it counts."""

    keys: tuple[Key, ...]
    labels: tuple[Mapping[str, str], ...]
    first: int
    values: Floats
    seen: Booleans
    warnings: tuple[str, ...]

    def newest(self) -> NDArray[np.int64]:
        """Of each series, the newest step with a sample; −1: none."""
        steps = self.seen.shape[1]
        last = steps - 1 - np.argmax(self.seen[:, ::-1], axis=1) if steps else np.zeros(len(self.keys), dtype=np.int64)
        return np.where(self.seen.any(axis=1), self.first + last, -1)


def read(source: MatrixBackend, terms: ReadingTerms, first: int, count: int, freshness: Freshness) -> Block:
    """Steps `first` … `first + count − 1`. Errors of the source pass through.

    A step whose raw samples are too old has no sample of any series.
    """
    lead = LEAD_STEPS if terms.is_counter else 0
    found = _asked(source, terms, terms.query, first - lead, count + lead)
    too_old, said = freshness.too_old(source, first - lead, count + lead)
    values = np.where(too_old, np.nan, found.values) if too_old.any() else found.values
    seen = np.isfinite(values[:, lead:])
    if terms.is_counter:
        values = rates(values, terms.step.total_seconds())
    warnings = found.warnings + said
    if terms.denominator:
        below = _asked(source, terms, terms.denominator, first, count)
        values = np.where(_enough(found, below, terms.least_denominator), values, np.nan)
        warnings = tuple(dict.fromkeys((*warnings, *below.warnings)))
    with np.errstate(over="ignore"):
        short = values.astype(np.float32)
    short[~np.isfinite(short)] = np.nan
    return Block(tuple(map(key_of, found.labels)), found.labels, first, short, seen, warnings)


def _asked(source: MatrixBackend, terms: ReadingTerms, query: str, first: int, count: int) -> SampleMatrix:
    start = EPOCH + first * terms.step
    return source.matrix(
        query,
        start,
        start + (count - 1) * terms.step,
        terms.step,
        most_series=_ALLOWANCE * terms.most_series,
        exact=terms.is_counter,
    )


def _enough(numerator: SampleMatrix, denominator: SampleMatrix, least: float) -> NDArray[Any]:
    """Where the denominator of each series is large enough; one without labels is that of all of them."""
    rows = {key_of(labels): row for row, labels in enumerate(denominator.labels)}
    common = rows.get(()) if len(rows) == 1 else None
    steps = denominator.values.shape[1]
    enough = np.zeros((len(numerator.labels), steps), dtype=np.bool_)
    for row, labels in enumerate(numerator.labels):
        other = rows.get(key_of(labels), common)
        if other is not None:
            enough[row] = denominator.values[other] >= least
    return enough
