"""Alerts of ours that Prometheus tells, too: when it says that they are over, ours are."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.announcing import announce
from alerts.incidents.grouping import ALERTNAME
from alerts.told import is_own
from controlplane.conventions import TOLD_BY_LADDERS
from controlplane.model.alert import Alert, AlertStatus
from controlplane.ports import Transaction

REASON: Final = "its twin ended"


def end_twins(transaction: Transaction, ended: Sequence[Alert], now: datetime) -> list[Alert]:
    """Alerts of ours, in the incidents of those that ended, that tell the same: closed and announced.

    A ladder says that a step failed and never that this is over; its rule in Prometheus does.
    """
    closed: list[Alert] = []
    for alert in ended:
        if alert.labels.get(ALERTNAME) in TOLD_BY_LADDERS and not is_own(alert):
            closed += _close(transaction, alert)
    announce(transaction, closed, now, reason=REASON, on_console=False)
    return closed


def _close(transaction: Transaction, ended: Alert) -> list[Alert]:
    incident = transaction.incidents.incident_of(*ended.key)
    if incident is None or ended.ends_at is None:
        return []
    closed = []
    for member, stored in transaction.incidents.alerts_of(incident):
        if member.ended_at is not None or stored is None or not is_own(stored.alert):
            continue
        ends_at = max(ended.ends_at, stored.alert.starts_at)
        if stored.alert.labels.get(ALERTNAME) == ended.labels[ALERTNAME] and transaction.alerts.close(stored, ends_at):
            closed.append(replace(stored.alert, status=AlertStatus.RESOLVED, ends_at=ends_at))
    return closed
