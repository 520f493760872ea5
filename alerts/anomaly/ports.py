"""What the anomaly detector needs from the outside, besides `controlplane.matrix_ports` and the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Deployments(Protocol):
    """When something was deployed to production."""

    def between(self, start: datetime, end: datetime) -> Sequence[tuple[datetime, str]]:
        """(finished at, service), in order; start included, end not."""
        ...
