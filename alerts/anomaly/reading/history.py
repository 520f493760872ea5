"""The last weeks of a detector's series, kept up to date. Not for two threads at once."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Floats
from alerts.anomaly.reading.model import Filled, NewSteps, ReadingTerms
from controlplane.matrix_ports import MatrixBackend


class History:
    """A buffer (series × steps) that slides with time; rows are given to series and stay theirs until they are empty.

    `advance` reads what is new; `fill` reads a piece of the past that is missing, the newest first. Errors of the
    backend pass through and change nothing.
    """

    def __init__(self, terms: ReadingTerms) -> None:
        self.terms = terms

    @property
    def rows(self) -> int:
        """How many rows have ever been given away: those that readers look at. Some may be free (all NaN)."""
        raise NotImplementedError

    @property
    def labels(self) -> tuple[Mapping[str, str] | None, ...]:
        """Of each row; None where it is free."""
        raise NotImplementedError

    @property
    def first(self) -> int:
        """Index (since the epoch) of the first step that is kept: `end − capacity`."""
        raise NotImplementedError

    @property
    def end(self) -> int:
        """Index after the newest step that was read; 0 before anything was."""
        raise NotImplementedError

    @property
    def values(self) -> Floats:
        """(rows, capacity), a read-only view that is good until the next `advance`; column i is step `first + i`."""
        raise NotImplementedError

    @property
    def last_seen(self) -> NDArray[np.int64]:
        """(rows,) index of the newest step with a sample, those below the least denominator included; −1: none."""
        raise NotImplementedError

    @property
    def remaining(self) -> int:
        """Steps of the past that are still to be read."""
        raise NotImplementedError

    def column(self, index: int) -> Floats:
        """(rows,) the values at a step that is kept, as a copy."""
        raise NotImplementedError

    def row_of(self, labels: Mapping[str, str]) -> int | None:
        """The row of a series; None when it has none."""
        raise NotImplementedError

    def advance(self, source: MatrixBackend, now: datetime) -> NewSteps:
        """Read the steps that are complete by now, and the newest known ones again."""
        raise NotImplementedError

    def fill(self, source: MatrixBackend, now: datetime) -> Filled:
        """Read one piece of what is missing of the past: at most two days of it, in one call of the backend."""
        raise NotImplementedError

    def read_again(self, start: datetime, end: datetime) -> None:
        """Let `fill` read this time once more: somebody wrote samples into the past."""
        raise NotImplementedError
