"""Takes alerts in: stored, written to the event log and queued for telling, all in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.told import alert_id, to_payload
from controlplane.conventions import EVENT_ALERT_FIRED, EVENT_ALERT_RESOLVED
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.event import Event
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Store, Transaction

CONSOLE: Final = "console"
_KINDS: Final = {AlertStatus.FIRING: EVENT_ALERT_FIRED, AlertStatus.RESOLVED: EVENT_ALERT_RESOLVED}


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
        """Store it; on return it is committed. Raises `Transient` when the store can't take it: then nothing is stored.

        An alert that we meet only when it is resolved has fired all the same, and the event log says so.
        """
        changed: list[Alert] = []
        with self._store.transaction() as transaction:
            for alert in sorted(notification.alerts, key=_order):  # one order for all: no two wait for each other
                if transaction.alerts.record(alert, now):
                    changed.append(alert)
                    _tell(transaction, alert, now)
        resolved = sum(alert.status is AlertStatus.RESOLVED for alert in changed)
        return Received(len(changed) - resolved, resolved, len(notification.alerts) - len(changed))


def _order(alert: Alert) -> tuple[str, datetime, bool]:
    return alert.fingerprint, alert.starts_at, alert.status is AlertStatus.RESOLVED


def _tell(transaction: Transaction, alert: Alert, now: datetime) -> None:
    transaction.events.append(_event(alert, AlertStatus.FIRING, alert.starts_at), now)
    if alert.status is AlertStatus.RESOLVED:
        transaction.events.append(_event(alert, AlertStatus.RESOLVED, alert.ends_at or now), now)
    message = OutboxMessage(
        id=f"{CONSOLE}:{_event_id(alert, alert.status)}",
        channel=CONSOLE,
        key=f"{CONSOLE}:{alert.fingerprint}",
        payload=to_payload(alert),
    )
    transaction.outbox.enqueue(message, now)


def _event(alert: Alert, status: AlertStatus, occurred_at: datetime) -> Event:
    then = alert if status is alert.status else replace(alert, status=status, ends_at=None)
    subject = alert.labels.get("alertname", alert.fingerprint)
    return Event(_event_id(alert, status), _KINDS[status], subject, occurred_at, to_payload(then))


def _event_id(alert: Alert, status: AlertStatus) -> str:
    return f"{_KINDS[status]}:{alert_id(alert)}"
