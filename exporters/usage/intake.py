"""Takes usage in: all of a delivery in one transaction, or nothing of it."""

from dataclasses import dataclass
from datetime import datetime

from controlplane.model.usage import Receipt
from controlplane.ports import Store
from exporters.usage.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery: a receipt, or (with faults) nothing at all."""

    receipt: Receipt
    delivery: Delivery

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it was taken."""
        return self.delivery.refused > 0


class Intake:
    """Stores deliveries. The same one may come any number of times, also at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, delivery: Delivery, now: datetime, *, keep_good: bool = False) -> Taken:
        """Count it; on return it is committed. Raises `Transient` when the store can't take any of it.

        With faults in it nothing is counted, so that a sender never has to find out which part was; `keep_good`
        counts the rest all the same.
        """
        with self._store.transaction() as transaction:
            if delivery.refused:
                transaction.usage.refuse(delivery.refused)
            if delivery.refused and not keep_good:
                return Taken(Receipt(), delivery)
            return Taken(transaction.usage.record(delivery.events, delivery.aside, now), delivery)
