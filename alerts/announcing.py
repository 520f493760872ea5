"""Writes down what became of alerts, for the other features (event log) and for people (outbox)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.told import alert_id, to_payload
from controlplane.conventions import EVENT_ALERT_FIRED, EVENT_ALERT_RESOLVED, TOLD_BY_LADDERS
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.event import Event
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Transaction

CONSOLE: Final = "console"
_KINDS: Final = {AlertStatus.FIRING: EVENT_ALERT_FIRED, AlertStatus.RESOLVED: EVENT_ALERT_RESOLVED}


def announce(
    transaction: Transaction, changed: Sequence[Alert], now: datetime, *, reason: str = "", on_console: bool = True
) -> None:
    """Append the events of these alerts and queue their lines. What was announced before changes nothing.

    An alert that we meet only when it is resolved has fired all the same, and the event log says so. `reason` stands
    in the events of resolved ones when it was not Alertmanager who told us. What ladders tell by themselves, without
    Prometheus, is not told twice. Not `on_console`: routes are declared, and incidents are told instead of alerts.
    """
    events = [event for alert in changed for event in _events(alert, now, reason)]
    transaction.events.append_all(events, now)
    if on_console:
        untold = [alert for alert in changed if alert.labels.get("alertname") not in TOLD_BY_LADDERS]
        transaction.outbox.enqueue_all([_message(alert) for alert in untold], now)


def _events(alert: Alert, now: datetime, reason: str) -> Iterator[Event]:
    yield _event(replace(alert, status=AlertStatus.FIRING, ends_at=None), alert.starts_at)
    if alert.status is AlertStatus.RESOLVED:
        yield _event(alert, alert.ends_at or now, reason)


def _event(alert: Alert, occurred_at: datetime, reason: str = "") -> Event:
    data = to_payload(alert) | ({"reason": reason} if reason else {})
    subject = alert.labels.get("alertname", alert.fingerprint)
    return Event(_event_id(alert), _KINDS[alert.status], subject, occurred_at, data)


def _message(alert: Alert) -> OutboxMessage:
    return OutboxMessage(
        id=f"{CONSOLE}:{_event_id(alert)}",
        channel=CONSOLE,
        key=f"{CONSOLE}:{alert.fingerprint}",
        payload=to_payload(alert),
    )


def _event_id(alert: Alert) -> str:
    return f"{_KINDS[alert.status]}:{alert_id(alert)}"
