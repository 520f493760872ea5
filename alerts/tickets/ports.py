"""What keeps tickets, whoever makes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from controlplane.ports import Permanent


class Gone(Permanent):
    """The ticket is not there any more: somebody deleted or moved it."""


class Move(Enum):
    """What becomes of a ticket's state. Whoever closed or reopened it by hand is not overruled by `STAYS`."""

    STAYS = "stays"
    CLOSES = "closes"
    REOPENS = "reopens"


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket as it shall be there: `body` is Markdown; what is too long for a tracker is cut where that is said."""

    key: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A ticket that is there."""

    outside_id: str
    url: str


class IssueTracker(Protocol):
    """One project of one tracker. Every ticket carries a mark made of its key, so that it can be found again.

    Errors: `Transient` for what may pass (network, time, 429, 5xx; `controlplane.ports.Transient` or the more exact
    `alerts.ports.RateLimited`), `Permanent` for what does not.
    """

    @property
    def settles_within(self) -> timedelta:
        """How long after a ticket was opened `find` may not see it yet."""
        ...

    def find(self, key: str, since: datetime) -> Opened | None:
        """The ticket of that key that was opened at `since` or later, open or not; the oldest when there are two."""
        ...

    def open(self, draft: Draft) -> Opened:
        """Open it. When this raises `Transient`, it may be there all the same: ask `find` before trying again."""
        ...

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        """Let it say what the draft says, and move it. Repeating that changes nothing. Raises `Gone`."""
        ...

    def is_open(self, outside_id: str) -> bool:
        """Whether it is open there now. Raises `Gone`."""
        ...
