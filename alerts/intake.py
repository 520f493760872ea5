"""Takes alerts in: stored, written to the event log, made incidents and queued for telling, all in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.announcing import announce
from alerts.incidents.keeping import Delivery, Keeper, Kept
from alerts.told import marked_own
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.ports import Store


@dataclass(frozen=True, slots=True)
class Received:
    """What a notification changed; `repeated` ones told us nothing new. Ids of incidents that it opened or changed."""

    fired: int
    resolved: int
    repeated: int
    opened: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Intake:
    """Stores notifications. The same one may come any number of times, also at once.

    `incidents` makes incidents of them where routes are declared; without it every alert is told on the console.
    `look` is called first: whoever has not read yet what is declared does so, or raises `Transient`, for an alert that
    came too early would be told to nobody.
    """

    def __init__(
        self, store: Store, incidents: Keeper | None = None, *, look: Callable[[], object] = lambda: None
    ) -> None:
        self._store = store
        self._incidents = incidents
        self._look = look

    def receive(self, notification: AlertNotification, now: datetime) -> Received:
        """Store it; on return it is committed. Raises `Transient` when the store can't take any of it."""
        return self._receive(notification.alerts, Delivery(notification.receiver, notification.group_key), now)

    def take_own(self, alert: Alert, now: datetime) -> Received | None:
        """An alert of ours, which never passes Alertmanager. None where no route is declared: nothing is done.

        Whoever makes it tells its end as well, or a person resolves its incident.
        """
        self._look()
        if self._incidents is None or not self._incidents.is_routing:
            return None
        return self._receive([marked_own(alert)], Delivery(), now)

    def _receive(self, alerts: Sequence[Alert], delivery: Delivery, now: datetime) -> Received:
        self._look()
        ordered = sorted(alerts, key=_order)  # in one order for all: no two wait for each other
        with self._store.transaction() as transaction:
            changed = transaction.alerts.record_all(ordered, now)
            is_routed = self._incidents is not None and self._incidents.is_routing
            announce(transaction, changed, now, on_console=not is_routed)
            kept = self._incidents.take(transaction, delivery, ordered, changed, now) if self._incidents else Kept()
        resolved = sum(alert.status is AlertStatus.RESOLVED for alert in changed)
        return Received(len(changed) - resolved, resolved, len(alerts) - len(changed), kept.opened, kept.changed)


def _order(alert: Alert) -> tuple[str, datetime, bool]:
    return alert.fingerprint, alert.starts_at, alert.status is AlertStatus.RESOLVED
