"""What every notifier of incidents does: read how it stands, show it outside, write down what is there now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from alerts.model import Snapshot
from alerts.ports import Snapshots
from controlplane.model.event import JSON
from controlplane.model.incident import Incident, OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import HeldLease, Permanent, Store


@dataclass(frozen=True, slots=True)
class Shown:
    """What is outside now. `is_whole`: it shows all of the snapshot, else more follows. Fields as of OutsideObject."""

    outside_id: str
    place: str = ""
    url: str = ""
    is_closed: bool = False
    is_whole: bool = True
    data: Mapping[str, JSON] = field(default_factory=dict)


Show: TypeAlias = Callable[[Snapshot, OutsideObject | None], Iterator[Shown]]
"""Shows a snapshot where the object (None: nothing yet) is, and yields what is outside after each call that changed it.

What it yields is written down before it goes on, so that a crash repeats one call at most. The last one `is_whole`.
"""


class Showing:
    """Keeps one OutsideObject per incident and channel in step with what a notifier did.

    `lease` is the lease under which this process may write, None without leadership; it raises `LeaseLost` where we
    must lead and do not.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        *,
        now: Callable[[], datetime],
        lease: Callable[[], HeldLease | None] = lambda: None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._now = now
        self._lease = lease

    def deliver(self, message: OutboxMessage, channel: str, show: Show) -> None:
        """Show the incident of the message as it is now. What is shown already changes nothing.

        Raises `Permanent` when the message names no incident that there is, and what `show` and the store raise.
        """
        snapshot = self._snapshot(message)
        outside = self._outside(snapshot.incident.id, channel)
        if is_shown(snapshot.incident, outside):
            return
        for shown in show(snapshot, outside):
            outside = self._keep(snapshot.incident, channel, outside, shown)

    def place_of(self, channel: str) -> str:
        """Where earlier incidents of a channel are shown; empty when none is. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            return transaction.telling.place_of(channel)

    def _snapshot(self, message: OutboxMessage) -> Snapshot:
        incident = message.payload.get("incident")
        if not isinstance(incident, str) or not incident:
            raise Permanent(f"the message {message.id} names no incident")
        snapshot = self._snapshots.of(incident)
        if snapshot is None:
            raise Permanent(f"there is no incident {incident}")
        return snapshot

    def _outside(self, incident: str, channel: str) -> OutsideObject | None:
        with self._store.transaction(read_only=True) as transaction:
            return transaction.telling.object_of(incident, channel)

    def _keep(self, incident: Incident, channel: str, before: OutsideObject | None, shown: Shown) -> OutsideObject:
        now = self._now()
        told = before.told_version if before else 0
        kept = OutsideObject(
            incident=incident.id,
            channel=channel,
            outside_id=shown.outside_id,
            opened_at=before.opened_at if before else now,
            updated_at=now,
            place=shown.place,
            url=shown.url,
            told_version=max(told, incident.version) if shown.is_whole else told,
            closed_at=now if shown.is_closed else None,
            data=shown.data,
        )
        with self._store.transaction(lease=self._lease()) as transaction:
            transaction.telling.put_object(kept)
        return kept


def is_shown(incident: Incident, outside: OutsideObject | None) -> bool:
    """Whether the outside shows the incident as it is: this version, and closed when it is over."""
    if outside is None or outside.told_version < incident.version:
        return False
    return incident.is_open or outside.closed_at is not None


class Shows(Protocol):
    """A notifier that can tell without the store, too: how pages leave while the database is away."""

    @property
    def channel(self) -> str:
        """The channel whose messages it takes."""
        ...

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """As of `Show`. Errors as of `Notifier`."""
        ...
