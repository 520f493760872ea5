"""A metrics backend that is asked for weeks of many series, as a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # numpy takes time to import
    from datetime import datetime, timedelta

    from controlplane.model.matrix import SampleMatrix


class MatrixBackend(Protocol):
    """Errors: `Transient` when it cannot be read now; `Permanent` when it refuses the query or has too many series."""

    def matrix(self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int) -> SampleMatrix:
        """Every series at whole multiples of the step since the epoch from `start` to `end`, both included.

        In as many requests as it takes. No rows where there is no data. NaN and infinite values are NaN: no sample.
        """
        ...
