"""Reads one repository and takes what it tells: each page in one transaction with the place where it was found.

So a crash, at whatever moment, neither loses nor doubles an event: what was committed is gone on from.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import DeliveryEvent, EventQuery
from controlplane.ports import HeldLease, Permanent, Store, Transient
from exporters.repositories.model import Repository
from exporters.repositories.ports import DeliverySource, Page, RateLimited, Reading
from exporters.repositories.progress import Progress, progress_of, put_progress

if TYPE_CHECKING:
    from exporters.events.reading import Delivery, EventReader

TOLERANCE: Final = timedelta(minutes=5)
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
REFUSED_PAUSE: Final = timedelta(minutes=15)  # of what will be refused again until somebody mends it
_LONGEST_ERROR: Final = 500
_TOLD: Final = 3
_CHANGE: Final = "dev.cdevents.change."
_SERVICE: Final = "dev.cdevents.service."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of one repository in a turn. `refused` events were malformed: a mistake of ours, which is logged.

    `changes` and `deployments` were told of, `first` to `last`; `taken` were new. `is_complete`: it was read to the
    end. `error` is empty unless it failed; `retry_at` is when it goes on after a rate limit or an error.
    """

    repository: str
    changes: int = 0
    deployments: int = 0
    first: datetime | None = None
    last: datetime | None = None
    taken: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: int = 0
    is_complete: bool = False
    error: str = ""
    retry_at: datetime | None = None
    note: str = ""

    def seen(self, events: Sequence[DeliveryEvent]) -> "Collected":
        """With these events."""
        times = [event.time for event in events]
        changes = sum(event.type.startswith(_CHANGE) for event in events)
        return replace(
            self,
            changes=self.changes + changes,
            deployments=self.deployments + sum(event.type.startswith(_SERVICE) for event in events),
            first=min((at for at in (self.first, *times) if at is not None), default=None),
            last=max((at for at in (self.last, *times) if at is not None), default=None),
        )


@dataclass(slots=True)
class Collector:
    """Collects repositories into a store. `tolerance`: how far the time of an event may lie ahead of our clock."""

    store: Store
    tolerance: timedelta = TOLERANCE
    _reader: "EventReader | None" = None

    def collect(
        self,
        repository: Repository,
        source: DeliverySource,
        now: datetime,
        *,
        lease: HeldLease | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        on_page: Callable[[Collected], None] = lambda collected: None,
    ) -> Collected:
        """Read on from where the last turn stopped, until the end or until `may_go_on` says no between two pages.

        A source that fails is noted in the store. Raises what the store raises, and `LeaseLost`.
        """
        known = _Known(self.store)
        progress, reading = self._begun(repository, now, known)
        found = Collected(repository.name)
        try:
            for page in source.pages(progress.position, reading):
                if not page.events and page.position == progress.position:
                    continue
                progress = replace(progress, position=page.position, note=page.note)
                delivery = self._read(page, now)
                found = self._take(found, delivery, progress, now, lease)
                known.add(delivery.events)
                on_page(found)
                if not may_go_on():
                    return found
        except (Transient, Permanent) as error:
            retry_at = self._failed(repository, error, now, lease)
            return replace(found, error=str(error)[:_LONGEST_ERROR], retry_at=retry_at)
        done = Progress(progress.position, progress.since, progress.digest, progress.edition, collected_at=now)
        with self.store.transaction(lease=lease) as transaction:
            put_progress(transaction, repository.name, done)
        return replace(found, is_complete=True)

    def preview(
        self,
        repository: Repository,
        source: DeliverySource,
        now: datetime,
        *,
        on_page: Callable[[Collected], None] = lambda collected: None,
    ) -> Collected:
        """The same without writing anything."""
        known = _Known(self.store)
        progress, reading = self._begun(repository, now, known)
        found = Collected(repository.name)
        try:
            for page in source.pages(progress.position, reading):
                delivery = self._read(page, now)
                found = replace(found.seen(delivery.events), refused=found.refused + delivery.refused, note=page.note)
                known.add(delivery.events)
                on_page(found)
        except (Transient, Permanent) as error:
            return replace(found, error=str(error)[:_LONGEST_ERROR])
        return replace(found, is_complete=True)

    def _begun(self, repository: Repository, now: datetime, known: "_Known") -> tuple[Progress, Reading]:
        with self.store.transaction(read_only=True) as transaction:
            progress = progress_of(transaction, repository.name).begun(repository, now)
        assert progress.since is not None
        return progress, Reading(now, progress.since, now + self.tolerance, progress.edition, known.among)

    def _read(self, page: Page, now: datetime) -> "Delivery":
        from exporters.events.reading import Candidate, EventReader, Terms  # with schemas, which takes time

        if self._reader is None:
            self._reader = EventReader(Terms("collector", self.tolerance))
        return self._reader.gathered((Candidate("", event) for event in page.events), now)

    def _take(
        self, found: Collected, delivery: "Delivery", progress: Progress, now: datetime, lease: HeldLease | None
    ) -> Collected:
        with self.store.transaction(lease=lease) as transaction:
            sender = f"collector:{found.repository}"
            events = [replace(event, sender=sender) for event in delivery.events]
            receipt = transaction.delivery.take(events, now) if events else None
            if delivery.refused:
                transaction.delivery.refuse(sender, delivery.refused)
            put_progress(transaction, found.repository, progress)
        for fault in delivery.faults[:_TOLD]:
            log.error("repositories.event_refused", extra={"repository": found.repository, "fault": str(fault)})
        return replace(
            found.seen(delivery.events),
            taken=found.taken + (receipt.accepted if receipt else 0),
            duplicates=found.duplicates + (receipt.duplicates if receipt else 0),
            conflicts=found.conflicts + (len(receipt.conflicts) if receipt else 0),
            refused=found.refused + delivery.refused,
            note=progress.note,
        )

    def _failed(
        self, repository: Repository, error: Transient | Permanent, now: datetime, lease: HeldLease | None
    ) -> datetime:
        """After the pages that were taken: their place in the repository stays."""
        with self.store.transaction(lease=lease) as transaction:
            before = progress_of(transaction, repository.name)
            if isinstance(error, RateLimited):  # no fault: it goes on then
                note = str(error)[:_LONGEST_ERROR]
                put_progress(transaction, repository.name, replace(before, retry_at=error.until, note=note))
                return error.until
            failures = before.failures + 1
            retry_at = _retry_at(error, failures, now)
            noted = replace(
                before,
                failures=failures,
                failing_since=before.failing_since or now,
                error=str(error)[:_LONGEST_ERROR],
                retry_at=retry_at,
            )
            put_progress(transaction, repository.name, noted)
        return retry_at


@dataclass(slots=True)
class _Known:
    """Which events were taken before. For a source that nobody told of before this turn nothing is looked up."""

    store: Store
    _told: set[tuple[str, str]] = field(default_factory=set)  # in this turn
    _is_new: dict[str, bool] = field(default_factory=dict)  # by source

    def add(self, events: Sequence[DeliveryEvent]) -> None:
        """They are taken now."""
        self._told.update((event.source, event.id) for event in events)

    def among(self, ids: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the ids that are known."""
        doubtful = [each for each in ids if each not in self._told]
        found = set(ids).difference(doubtful)
        if doubtful:
            with self.store.transaction(read_only=True) as transaction:
                for source in {source for source, _ in doubtful} - self._is_new.keys():
                    self._is_new[source] = not transaction.delivery.find_events(EventQuery(source=source, limit=1))
                found.update(
                    each for each in doubtful if not self._is_new[each[0]] and transaction.delivery.event(*each)
                )
        return found


def _retry_at(error: Transient | Permanent, failures: int, now: datetime) -> datetime:
    if isinstance(error, Permanent):
        return now + REFUSED_PAUSE
    doubled: int = 2 ** min(failures - 1, 10)
    return now + min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
