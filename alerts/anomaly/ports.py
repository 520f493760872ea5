"""What the anomaly detector needs from the outside, besides `controlplane.matrix_ports` and the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment to production that was finished at `at` (aware). `version` is empty where nobody said it."""

    at: datetime
    service: str
    version: str = ""


class Deployments(Protocol):
    """When something was deployed to production."""

    def between(self, start: datetime, end: datetime) -> Sequence[Deployed]:
        """Deployments in order of their times; start included, end not."""
        ...
