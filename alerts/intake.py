"""Takes alerts in: stored, written to the event log and queued for telling, all in one transaction."""

from collections.abc import Iterator, Sequence
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
        with self._store.transaction() as transaction:  # in one order for all: no two wait for each other
            changed = transaction.alerts.record_all(sorted(notification.alerts, key=_order), now)
            _tell(transaction, changed, now)
        resolved = sum(alert.status is AlertStatus.RESOLVED for alert in changed)
        return Received(len(changed) - resolved, resolved, len(notification.alerts) - len(changed))


def _order(alert: Alert) -> tuple[str, datetime, bool]:
    return alert.fingerprint, alert.starts_at, alert.status is AlertStatus.RESOLVED


def _tell(transaction: Transaction, changed: Sequence[Alert], now: datetime) -> None:
    events = [event for alert in changed for event in _events(alert, now)]
    transaction.events.append_all(events, now)
    transaction.outbox.enqueue_all([_message(alert) for alert in changed], now)


def _events(alert: Alert, now: datetime) -> Iterator[Event]:
    yield _event(alert, AlertStatus.FIRING, alert.starts_at)
    if alert.status is AlertStatus.RESOLVED:
        yield _event(alert, AlertStatus.RESOLVED, alert.ends_at or now)


def _message(alert: Alert) -> OutboxMessage:
    return OutboxMessage(
        id=f"{CONSOLE}:{_event_id(alert, alert.status)}",
        channel=CONSOLE,
        key=f"{CONSOLE}:{alert.fingerprint}",
        payload=to_payload(alert),
    )


def _event(alert: Alert, status: AlertStatus, occurred_at: datetime) -> Event:
    then = alert if status is alert.status else replace(alert, status=status, ends_at=None)
    subject = alert.labels.get("alertname", alert.fingerprint)
    return Event(_event_id(alert, status), _KINDS[status], subject, occurred_at, to_payload(then))


def _event_id(alert: Alert, status: AlertStatus) -> str:
    return f"{_KINDS[status]}:{alert_id(alert)}"
