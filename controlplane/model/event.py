"""Things that happened, told from one feature to the others through the event log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

JSON = None | bool | int | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. `id` makes a repeated append a no-op; `kind` such as `alert.fired`; `subject` is what it happened to.

    `data` holds no floats: ratios and money are decimal strings.
    """

    id: str
    kind: str
    subject: str
    occurred_at: datetime
    data: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its place in the log (`sequence` grows without bound) and the time at which we wrote it."""

    sequence: int
    recorded_at: datetime
    event: Event
