"""What a region needs from the outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from controlplane.model.check import ReportHead


class Fate(Enum):
    """What became of a report."""

    TAKEN = "taken"  # stored, now or before
    REFUSED = "refused"  # it is wrong, and will be as wrong the next time
    DENIED = "denied"  # not for what it says: a wrong token, address or clock, which somebody may put right
    AGAIN = "again"  # not now


@dataclass(frozen=True, slots=True)
class Delivered:
    """An answer. `reason` for people, without secrets; `retry_after` when the other side says how long to wait."""

    fate: Fate
    reason: str = ""
    retry_after: timedelta | None = None


class Delivery(Protocol):
    """Brings reports to the control plane."""

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        """Deliver one, of results as `report_writing.render_result` gives them. Returns within seconds, never raises
        for what the other side does.
        """
        ...
