"""Alerts as received."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update

from controlplane.model.alert import Alert, AlertStatus, StoredAlert
from controlplane.store.tables import alerts
from controlplane.store.write_order import WriteOrder


class SqlAlertLog:
    """Implements `controlplane.ports.AlertLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def record(self, alert: Alert, received_at: datetime) -> bool:
        """Store or update it; True for a new alert and for the step from firing to resolved."""
        self._order.take()
        same = (alerts.c.fingerprint == alert.fingerprint) & (alerts.c.starts_at == alert.starts_at)
        known = self._connection.execute(select(alerts).where(same)).mappings().one_or_none()
        if known is None:
            self._connection.execute(alerts.insert().values(_first_row(alert, received_at)))
            return True
        fires = known["status"] == AlertStatus.FIRING.value
        resolves = fires and alert.status is AlertStatus.RESOLVED
        values = _delivery(known, received_at)
        if resolves or (fires and received_at >= known["last_received_at"]):  # an overtaken delivery is older news
            values |= _content(alert)
        self._connection.execute(update(alerts).where(same).values(values))
        return resolves

    def firing(self) -> list[StoredAlert]:
        """Those that fire now, latest start first."""
        return self._read(select(alerts).where(alerts.c.status == AlertStatus.FIRING.value))

    def recent(self, limit: int) -> list[StoredAlert]:
        """The latest by start, firing or not."""
        return self._read(select(alerts).limit(limit))

    def _read(self, query: Select[Any]) -> list[StoredAlert]:
        ordered = query.order_by(alerts.c.starts_at.desc(), alerts.c.fingerprint)
        return [_stored(row) for row in self._connection.execute(ordered).mappings()]


def _content(alert: Alert) -> dict[str, Any]:
    return {
        "status": alert.status.value,
        "ends_at": alert.ends_at,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "generator_url": alert.generator_url,
    }


def _first_row(alert: Alert, received_at: datetime) -> dict[str, Any]:
    identity = {"fingerprint": alert.fingerprint, "starts_at": alert.starts_at}
    times = {"first_received_at": received_at, "last_received_at": received_at, "deliveries": 1}
    return identity | times | _content(alert)


def _delivery(known: RowMapping, received_at: datetime) -> dict[str, Any]:
    return {
        "first_received_at": min(known["first_received_at"], received_at),
        "last_received_at": max(known["last_received_at"], received_at),
        "deliveries": known["deliveries"] + 1,
    }


def _stored(row: RowMapping) -> StoredAlert:
    alert = Alert(
        fingerprint=row["fingerprint"],
        starts_at=row["starts_at"],
        status=AlertStatus(row["status"]),
        labels=row["labels"],
        annotations=row["annotations"],
        ends_at=row["ends_at"],
        generator_url=row["generator_url"],
    )
    return StoredAlert(alert, row["first_received_at"], row["last_received_at"], row["deliveries"])
