"""Where deliveries are read from, whoever reads them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from controlplane.model.event import JSON
from controlplane.ports import Transient

Position = Mapping[str, JSON]
Known = Callable[[Collection[tuple[str, str]]], set[tuple[str, str]]]
"""Which of these (source, id) were taken before."""


class RateLimited(Transient):
    """The host asks for a pause until `until`."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


@dataclass(frozen=True, slots=True)
class Page:
    """CloudEvents, and the position to remember with them: who goes on from there reads what comes after them.

    `note` says in words where the reading stands.
    """

    events: tuple[dict[str, JSON], ...]
    position: Position
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a turn of reading begins with. `since`: nothing older is asked for. `latest`: no event may lie after it.

    `known` tells which events were taken before, so that nothing is asked for twice. `edition` grows when the
    document says something else than before: what it tells then stands above what was told.
    """

    now: datetime
    since: datetime
    latest: datetime
    edition: int = 0
    known: Known = field(default=lambda ids: set())


class DeliverySource(Protocol):
    """One repository. Reading it twice from the same position gives events with the same ids.

    Errors: `RateLimited` and `Transient` for what may pass, `Permanent` for what does not (no such repository, no
    right to read it, a shallow clone). They hold no secret.
    """

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        """What is new since `position` (empty: everything since `reading.since`), page by page."""
        ...

    def close(self) -> None:
        """Give up connections."""
        ...
