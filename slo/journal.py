"""Decisions in the event log and the audit log at once."""

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.model.event import Event
from controlplane.ports import HeldLease, Store


@dataclass(frozen=True, slots=True)
class StoreJournal:
    """`slo.ports.Journal` on the store. `lease` tells the lease that we hold now; its epoch is checked in the write."""

    store: Store
    actor: str
    lease: Callable[[], HeldLease | None]

    def write(self, event: Event) -> bool:
        """Event and audit entry in one transaction, or neither when the event is known."""
        with self.store.transaction(lease=self.lease()) as transaction:
            if not transaction.events.append(event, event.occurred_at):
                return False
            transaction.audit.append(
                at=event.occurred_at, actor=self.actor, action=event.kind, subject=event.subject, detail=event.data
            )
            return True
