"""A store with incidents in it, and what notifiers are asked to tell of them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from alerts.delivery.rates import Allowance, Rate
from alerts.delivery.showing import Showing
from alerts.model import Snapshot
from alerts.telling import message_of
from controlplane.model.incident import Incident, OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.store import SqlStore, migrate, open_store
from tests.alerts.messages.samples import NOW


@dataclass
class Book:
    """Snapshots as they are now, and the store that knows what is outside. Time stands still until it is moved."""

    store: SqlStore
    now: datetime = NOW
    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def of(self, incident: str) -> Snapshot | None:
        """Implements `Snapshots`."""
        return self.snapshots.get(incident)

    def clock(self) -> datetime:
        return self.now

    def pass_time(self, length: timedelta) -> None:
        self.now += length

    def say(self, snapshot: Snapshot, channel: str) -> OutboxMessage:
        """The incident is so now; the message that says that there is news of it."""
        self.snapshots[snapshot.incident.id] = snapshot
        return message_of(snapshot.incident, channel)

    def showing(self) -> Showing:
        return Showing(self.store, self, now=self.clock)

    def rate(self, calls: int = 1000) -> Rate:
        return Rate(Allowance(calls), self.clock)

    def outside(self, incident: Incident, channel: str) -> OutsideObject | None:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.telling.object_of(incident.id, channel)

    def keep(self, incident: Incident) -> None:
        """Into the store, for those who look for it there."""
        with self.store.transaction() as transaction:
            transaction.incidents.put(incident)


def an_empty_database(folder: Path) -> Path:
    """A file to make copies of: tables take a while to make."""
    migrate(f"sqlite:///{folder}/empty.db")
    return folder / "empty.db"


@contextmanager
def a_book(folder: Path, template: Path) -> Iterator[Book]:
    """A book over a copy of the template."""
    shutil.copy(template, folder / "state.db")
    store = open_store(f"sqlite:///{folder}/state.db")
    try:
        yield Book(store)
    finally:
        store.close()
