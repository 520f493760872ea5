"""Collects the repositories that are due, one after the other, the one that waited longest first."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from controlplane.ports import HeldLease, Store
from exporters.repositories.collecting import TOLERANCE, Collected, Collector
from exporters.repositories.model import Repository
from exporters.repositories.ports import DeliverySource, Page, Position, Reading
from exporters.repositories.progress import Progress, progress_of

log = logging.getLogger(__name__)
TURN_SECONDS: Final = 45.0  # what is not done by then goes on in the next turn


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. `waiting` repositories are due and had no time left."""

    collected: tuple[Collected, ...] = ()
    waiting: int = 0

    @property
    def taken(self) -> int:
        """Events that were new."""
        return sum(each.taken for each in self.collected)

    @property
    def failed(self) -> tuple[Collected, ...]:
        """Repositories that could not be read."""
        return tuple(each for each in self.collected if each.error)


@dataclass(slots=True)
class RepositoryDaemon:
    """`declared` are the repositories of the last good files; `open_source` opens one and may raise `Permanent`."""

    store: Store
    declared: Callable[[], Sequence[Repository]]
    open_source: Callable[[Repository], DeliverySource]
    tolerance: timedelta = TOLERANCE
    turn_seconds: float = TURN_SECONDS
    clock: Callable[[], float] = time.monotonic
    _opened: dict[str, tuple[Repository, DeliverySource]] = field(default_factory=dict, init=False)
    _collector: Collector | None = field(default=None, init=False)

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Turn:
        """One turn. One that fails stops no other. Raises what the store raises, and `LeaseLost`."""
        repositories = {each.name: each for each in self.declared()}
        self._close_others(repositories)
        with self.store.transaction(read_only=True) as transaction:
            known = {name: progress_of(transaction, name) for name in repositories}
        due = [each for each in repositories.values() if is_due(each, known[each.name], now)]
        due.sort(key=lambda each: (known[each.name].collected_at or datetime.min.replace(tzinfo=now.tzinfo), each.name))
        end = self.clock() + self.turn_seconds
        collected: list[Collected] = []
        if self._collector is None:
            self._collector = Collector(self.store, self.tolerance)
        for repository in due:
            if self.clock() >= end:
                break
            source = _Opening(self, repository)
            found = self._collector.collect(
                repository, source, now, lease=lease, may_go_on=lambda: self.clock() < end
            )  # fmt: skip
            collected.append(found)
            if found.error:
                log.warning("repositories.not_read", extra={"repository": found.repository, "error": found.error})
        return Turn(tuple(collected), len(due) - len(collected))

    def opened(self, repository: Repository) -> DeliverySource:
        """The source, opened once for as long as its document stays the same: it remembers what hosts answered."""
        known = self._opened.get(repository.name)
        if known is None or known[0] != repository:
            self._opened[repository.name] = known = (repository, self.open_source(repository))
        return known[1]

    def close(self) -> None:
        """Give back what sources hold open."""
        self._close_others({})

    def _close_others(self, repositories: dict[str, Repository]) -> None:
        for name, (repository, source) in list(self._opened.items()):
            if repositories.get(name) != repository:
                source.close()
                del self._opened[name]


@dataclass(frozen=True, slots=True)
class _Opening:
    """Opens the source where its failures are caught and noted."""

    daemon: RepositoryDaemon
    repository: Repository

    def pages(self, position: Position, reading: Reading) -> Iterator[Page]:
        yield from self.daemon.opened(self.repository).pages(position, reading)

    def close(self) -> None:
        """Whoever opened it closes it."""


def is_due(repository: Repository, progress: Progress, now: datetime) -> bool:
    """Whether it is to be read now: its time has come, or a reading has not come to its end; not while it rests."""
    if progress.retry_at is not None and now < progress.retry_at:
        return False
    return progress.is_failing or progress.collected_at is None or now - progress.collected_at >= repository.every
