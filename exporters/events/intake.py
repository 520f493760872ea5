"""Takes delivery events in: all of a delivery in one transaction, or nothing of it."""

from dataclasses import dataclass
from datetime import datetime

from controlplane.model.delivery import EventReceipt
from controlplane.ports import Store
from exporters.events.reading import Delivery

NOTHING = EventReceipt(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery: a receipt, or (with faults) nothing at all."""

    receipt: EventReceipt
    delivery: Delivery

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was taken."""
        return self.delivery.refused > 0


class Intake:
    """Stores deliveries. The same one may come any number of times, also at once."""

    def __init__(self, store: Store, sender: str) -> None:
        self._store = store
        self._sender = sender

    def take(self, delivery: Delivery, now: datetime) -> Taken:
        """Keep it; on return it is committed. Raises `Transient` or `Permanent` when the store can't.

        With faults in it nothing is kept, so that a sender never has to find out which part was.
        """
        if not delivery.refused and not delivery.events:
            return Taken(NOTHING, delivery)
        with self._store.transaction() as transaction:
            if delivery.refused:
                transaction.delivery.refuse(self._sender, delivery.refused)
                return Taken(NOTHING, delivery)
            return Taken(transaction.delivery.take(delivery.events, now), delivery)
