"""What service credits need from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Achieved:
    """Events of an SLO over some time; `coverage` is the share of that time which was measured (0 … 1)."""

    events: Decimal
    bad: Decimal
    coverage: Decimal


class AchievedSLO(Protocol):
    """What an SLO achieved, from what was recorded of it. `Transient` when it cannot be asked now."""

    def achieved(
        self, slo: str, labels: Mapping[str, str], start: datetime, end: datetime, *, maintenance_counts: bool = False
    ) -> Achieved | None:
        """Events in [start, end) of the budget with these grouping labels; None where nothing was recorded.

        With `maintenance_counts`, events that an exclusion took out are counted all the same.
        """
        ...
