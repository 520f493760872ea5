"""Takes alerts in: stored, written to the event log and queued for telling, all in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from alerts.announcing import announce
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.ports import Store


@dataclass(frozen=True, slots=True)
class Received:
    """What a notification changed; `repeated` ones told us nothing new."""

    fired: int
    resolved: int
    repeated: int


class Intake:
    """Stores notifications. The same one may come any number of times, also at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def receive(self, notification: AlertNotification, now: datetime) -> Received:
        """Store it; on return it is committed. Raises `Transient` when the store can't take any of it."""
        with self._store.transaction() as transaction:  # in one order for all: no two wait for each other
            changed = transaction.alerts.record_all(sorted(notification.alerts, key=_order), now)
            announce(transaction, changed, now)
        resolved = sum(alert.status is AlertStatus.RESOLVED for alert in changed)
        return Received(len(changed) - resolved, resolved, len(notification.alerts) - len(changed))


def _order(alert: Alert) -> tuple[str, datetime, bool]:
    return alert.fingerprint, alert.starts_at, alert.status is AlertStatus.RESOLVED
