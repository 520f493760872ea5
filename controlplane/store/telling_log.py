"""What was told to whom outside, and how that went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, delete, select

from controlplane.model.incident import (
    AlertReceipt,
    AttemptOutcome,
    DeliveryAttempt,
    IncidentState,
    OutsideObject,
)
from controlplane.store import telling_tables as tables
from controlplane.store.batches import batches
from controlplane.store.incident_tables import incidents
from controlplane.store.plain_rows import Row, plain
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

_DETAIL_LENGTH: Final = 2000  # characters kept of how an attempt went
_ReceiptKey = tuple[str, datetime, str]


class SqlTellingLog:
    """Implements `controlplane.incident_ports.TellingLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def put_object(self, outside: OutsideObject) -> None:
        """Keep it as it is now: one per incident and channel."""
        self._order.take()
        upsert(self._connection, tables.objects, [plain(outside)])

    def object_of(self, incident: str, channel: str) -> OutsideObject | None:
        """What one channel shows of an incident."""
        columns = tables.objects.c
        found = self._objects(select(tables.objects).where(columns.incident == incident, columns.channel == channel))
        return found[0] if found else None

    def objects_of(self, incident: str) -> list[OutsideObject]:
        """All of an incident, oldest first."""
        columns = tables.objects.c
        query = select(tables.objects).where(columns.incident == incident)
        return self._objects(query.order_by(columns.opened_at, columns.channel))

    def place_of(self, channel: str) -> str:
        """Where the object of that channel is that was changed last, of those whose place is known; else empty."""
        columns = tables.objects.c
        query = select(columns.place).where(columns.channel == channel, columns.place != "")
        return self._connection.scalar(query.order_by(columns.updated_at.desc()).limit(1)) or ""

    def by_outside_id(self, channel_prefix: str, outside_id: str, place: str = "") -> OutsideObject | None:
        """The one of that outside id in channels that begin so; of several, the one opened last."""
        columns = tables.objects.c
        query = select(tables.objects).where(columns.outside_id == outside_id)
        query = query.where(columns.place == place) if place else query
        found = self._objects(query.order_by(columns.opened_at.desc(), columns.channel))
        return next((each for each in found if each.channel.startswith(channel_prefix)), None)

    def left_open(self, limit: int = 1000) -> list[OutsideObject]:
        """Those still open though their incident is resolved, oldest first."""
        columns = tables.objects.c
        over = (columns.closed_at.is_(None), incidents.c.state == IncidentState.RESOLVED.value)
        query = select(tables.objects).join(incidents, incidents.c.id == columns.incident).where(*over)
        return self._objects(query.order_by(columns.opened_at, columns.incident, columns.channel).limit(limit))

    def attempted(self, attempts: Sequence[DeliveryAttempt]) -> None:
        """Write attempts down."""
        self._order.take()
        if attempts:
            self._connection.execute(tables.attempts.insert(), [_attempt_row(each) for each in attempts])

    def attempts_of(self, incident: str, limit: int = 1000) -> list[DeliveryAttempt]:
        """Those of an incident, oldest first; of more than `limit`, the latest."""
        columns = tables.attempts.c
        query = select(tables.attempts).where(columns.incident == incident)
        latest = query.order_by(columns.at.desc(), columns.sequence.desc()).limit(limit)
        return [_attempt_of(row) for row in self._connection.execute(latest).mappings()][::-1]

    def received(self, receipts: Sequence[AlertReceipt]) -> None:
        """Deliveries of alerts to routes: added to those that are known, with the group of the last one."""
        self._order.take()
        known: dict[_ReceiptKey, AlertReceipt] = {}
        for batch in batches(list({(each.fingerprint, each.starts_at, each.route) for each in receipts})):
            known |= self._known_receipts(batch)
        for receipt in receipts:
            key = receipt.fingerprint, receipt.starts_at, receipt.route
            known[key] = _added(known[key], receipt) if key in known else receipt
        wanted = dict.fromkeys((each.fingerprint, each.starts_at, each.route) for each in receipts)
        upsert(self._connection, tables.receipts, [plain(known[key]) for key in wanted])

    def receipts_of(self, fingerprint: str, starts_at: datetime) -> list[AlertReceipt]:
        """Which routes an alert was delivered to, first delivery first."""
        columns = tables.receipts.c
        query = select(tables.receipts).where(columns.fingerprint == fingerprint, columns.starts_at == starts_at)
        found = self._connection.execute(query.order_by(columns.first_at, columns.route)).mappings()
        return [AlertReceipt(**dict(row)) for row in found]

    def purge(self, before: datetime) -> int:
        """Forget attempts made before then and receipts of alerts that were last delivered before then."""
        self._order.take()
        old = ((tables.attempts, tables.attempts.c.at < before), (tables.receipts, tables.receipts.c.last_at < before))
        return sum(self._connection.execute(delete(table).where(condition)).rowcount for table, condition in old)

    def _objects(self, query: Select[Any]) -> list[OutsideObject]:
        return [OutsideObject(**dict(row)) for row in self._connection.execute(query).mappings()]

    def _known_receipts(self, wanted: Sequence[_ReceiptKey]) -> dict[_ReceiptKey, AlertReceipt]:
        columns = tables.receipts.c
        near = columns.fingerprint.in_({key[0] for key in wanted}) & columns.starts_at.in_({key[1] for key in wanted})
        found = self._connection.execute(select(tables.receipts).where(near)).mappings()
        return {(row["fingerprint"], row["starts_at"], row["route"]): AlertReceipt(**dict(row)) for row in found}


def _added(known: AlertReceipt, new: AlertReceipt) -> AlertReceipt:
    last = new if new.last_at >= known.last_at else known
    return AlertReceipt(
        fingerprint=known.fingerprint,
        starts_at=known.starts_at,
        route=known.route,
        group_key=last.group_key,
        first_at=min(known.first_at, new.first_at),
        last_at=last.last_at,
        deliveries=known.deliveries + new.deliveries,
    )


def _attempt_row(attempt: DeliveryAttempt) -> Row:
    return plain(attempt) | {"outcome": attempt.outcome.value, "detail": attempt.detail[:_DETAIL_LENGTH]}


def _attempt_of(row: RowMapping) -> DeliveryAttempt:
    outcome = AttemptOutcome(row["outcome"])
    about = row["message"], row["channel"], row["incident"]
    return DeliveryAttempt(*about, row["at"], outcome, row["detail"], row["attempt"])
