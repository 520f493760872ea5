"""A metrics backend that is asked for weeks of many series, as a protocol, and its answer as an array on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # numpy takes time to import
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SampleMatrix:
    """`values` (series × steps), NaN where there is no sample; column i belongs to (first + i) · step after the epoch.

    Rows are in the order of their sorted labels, without `__name__` and without empty labels; no two rows have the
    same ones. A NUL in a label's value is U+2400: no database stores it. `values` is float32, or float64 where `exact`
    was asked for. `warnings` are what the backend says of its own answer, such as that a part of its storage did not
    take part.
    """

    labels: tuple[Mapping[str, str], ...]
    first: int
    step: timedelta
    values: NDArray[np.floating[Any]]
    warnings: tuple[str, ...] = ()


class MatrixBackend(Protocol):
    """Errors: `Transient` when it cannot be read now; `Permanent` when it refuses the query or has too many series."""

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        """Every series at whole multiples of the step since the epoch from `start` to `end`, both included.

        In as many requests as it takes. No rows where there is no data. NaN and infinite values are NaN: no sample.
        `exact` gives float64, as counters need: a float32 has 24 bits. `step` is whole seconds, or ValueError.
        `Permanent` also for native histograms, for series that differ in their metric's name only, and for more than
        `most_series` in that time.
        """
        ...
