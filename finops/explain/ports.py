"""What explaining needs from the outside besides ledgers, metrics and the event log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from controlplane.model.exemplar import Exemplar


class ExemplarSource(Protocol):
    """Exemplars as Prometheus keeps them. Errors: `Transient`, `Permanent`, as in `MetricsBackend`."""

    def exemplars(self, selector: str, start: datetime, end: datetime) -> Sequence[Exemplar]:
        """Exemplars of the selected series in that time; empty when none is kept, bounded when there are many."""
        ...
