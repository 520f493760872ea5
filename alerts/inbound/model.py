"""What people do to an incident from outside, and why a request is not taken."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Deed(Enum):
    """What somebody does."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody's answer. `id` is the same however often it is delivered; `via` is `pagerduty` or `slack`.

    It is about the incident whose id is `incident` or, where that is empty, about the one that we showed as
    `outside_id` (in `place`, such as a channel's id). `by` is who it was, by name or id; `text` what they wrote.
    """

    id: str
    deed: Deed
    via: str
    by: str
    at: datetime
    incident: str = ""
    outside_id: str = ""
    place: str = ""
    text: str = ""
    user: str = ""  # the id of who it was, where `by` is a name


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is genuine, and nothing for us; `why` is for the log. `challenge` is to be sent back where one was asked."""

    why: str
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It is not what we understand; `field` is where."""

    reason: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason
