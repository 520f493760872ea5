"""Alerts as received."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from controlplane.model.alert import Alert, AlertStatus, StoredAlert
from controlplane.store.batches import batches
from controlplane.store.tables import alerts
from controlplane.store.write_order import WriteOrder

_Row = dict[str, Any]
_Key = tuple[str, datetime]


class SqlAlertLog:
    """Implements `controlplane.ports.AlertLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def record(self, alert: Alert, received_at: datetime) -> bool:
        """Store or update it; True for a new alert and for the step from firing to resolved."""
        return bool(self.record_all([alert], received_at))

    def record_all(self, received: Sequence[Alert], received_at: datetime) -> list[Alert]:
        """The same for many, one after the other, in few statements; those for which `record` would be True."""
        self._order.take()
        rows = self._known(received)
        before = set(rows)
        changed = [alert for alert in received if _record(rows, alert, received_at)]
        self._write(rows, before)
        return changed

    def close(self, seen: StoredAlert, ends_at: datetime) -> bool:
        """Resolve it without a delivery; False when it is resolved or was delivered again since it was `seen`."""
        self._order.take()
        unchanged = (
            (alerts.c.fingerprint == seen.alert.fingerprint)
            & (alerts.c.starts_at == seen.alert.starts_at)
            & (alerts.c.status == AlertStatus.FIRING.value)
            & (alerts.c.deliveries == seen.deliveries)
        )
        values = {"status": AlertStatus.RESOLVED.value, "ends_at": ends_at}
        return self._connection.execute(update(alerts).where(unchanged).values(values)).rowcount == 1

    def firing(self) -> list[StoredAlert]:
        """Those that fire now, latest start first."""
        return self._read(select(alerts).where(alerts.c.status == AlertStatus.FIRING.value))

    def recent(self, limit: int) -> list[StoredAlert]:
        """The latest by start, firing or not."""
        return self._read(select(alerts).limit(limit))

    def _read(self, query: Select[Any]) -> list[StoredAlert]:
        ordered = query.order_by(alerts.c.starts_at.desc(), alerts.c.fingerprint)
        return [stored_alert(dict(row)) for row in self._connection.execute(ordered).mappings()]

    def _known(self, received: Sequence[Alert]) -> dict[_Key, _Row]:
        wanted = {alert.key for alert in received}
        found: dict[_Key, _Row] = {}
        for batch in batches(list(wanted)):
            fingerprints, starts = {key[0] for key in batch}, {key[1] for key in batch}
            near = alerts.c.fingerprint.in_(fingerprints) & alerts.c.starts_at.in_(starts)
            for row in self._connection.execute(select(alerts).where(near)).mappings():
                found[row["fingerprint"], row["starts_at"]] = dict(row)
        return {key: row for key, row in found.items() if key in wanted}

    def _write(self, rows: dict[_Key, _Row], before: set[_Key]) -> None:
        new = [row for key, row in rows.items() if key not in before]
        old = [_renamed(row) for key, row in rows.items() if key in before]
        if new:
            self._connection.execute(alerts.insert(), new)
        if old:
            self._connection.execute(_UPDATE, old)


_UPDATE = (
    update(alerts)
    .where(alerts.c.fingerprint == bindparam("at_fingerprint"), alerts.c.starts_at == bindparam("at_starts_at"))
    .values({column.name: bindparam(column.name) for column in alerts.columns if not column.primary_key})
)


def _renamed(row: _Row) -> _Row:
    """The row for `_UPDATE`, which finds it by names other than those of the columns."""
    rest = {name: value for name, value in row.items() if name not in ("fingerprint", "starts_at")}
    return rest | {"at_fingerprint": row["fingerprint"], "at_starts_at": row["starts_at"]}


def _record(rows: dict[_Key, _Row], alert: Alert, received_at: datetime) -> bool:
    """Note one delivery in `rows`; whether it changed what we knew."""
    known = rows.get(alert.key)
    if known is None:
        rows[alert.key] = _first_row(alert, received_at)
        return True
    fires = known["status"] == AlertStatus.FIRING.value
    resolves = fires and alert.status is AlertStatus.RESOLVED
    if resolves or (fires and received_at >= known["last_received_at"]):  # an overtaken delivery is older news
        known |= _content(alert)
    known["first_received_at"] = min(known["first_received_at"], received_at)
    known["last_received_at"] = max(known["last_received_at"], received_at)
    known["deliveries"] += 1
    return resolves


def _content(alert: Alert) -> _Row:
    return {
        "status": alert.status.value,
        "ends_at": alert.ends_at,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "generator_url": alert.generator_url,
    }


def _first_row(alert: Alert, received_at: datetime) -> _Row:
    identity = {"fingerprint": alert.fingerprint, "starts_at": alert.starts_at}
    times = {"first_received_at": received_at, "last_received_at": received_at, "deliveries": 1}
    return identity | times | _content(alert)


def stored_alert(row: _Row) -> StoredAlert:
    """An alert from its table."""
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
