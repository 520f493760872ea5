"""Time that does not count against a budget, agreed beforehand or afterwards."""

from dataclasses import dataclass, field
from datetime import datetime

from controlplane.model.source import SourcePosition

Interval = tuple[datetime, datetime]  # half-open, aware UTC


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Half-open intervals, in order and apart, in which events of the SLOs that have it do not count.

    Somebody (`owner`) answers for it and says why; after `expires` it takes nothing out any more. `recurrence` is how
    its owner wrote it (RRULE), empty for a single interval.
    """

    name: str
    owner: str
    reason: str
    expires: datetime
    intervals: tuple[Interval, ...]
    recurrence: str = ""
    source: SourcePosition | None = field(default=None, compare=False)
