"""The store: one database behind `controlplane.ports.Store`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, Engine

from controlplane.ports import HeldLease, Permanent, Transient
from controlplane.store.access_log import SqlAccessLog
from controlplane.store.alert_log import SqlAlertLog
from controlplane.store.anomaly_log import SqlAnomalyLog
from controlplane.store.audit_log import SqlAuditLog
from controlplane.store.check_log import SqlCheckLog
from controlplane.store.database_clock import database_now
from controlplane.store.database_url import describe, parse_database_url
from controlplane.store.delivery_log import SqlDeliveryLog
from controlplane.store.engines import make_engine, open_transaction
from controlplane.store.event_log import SqlEventLog
from controlplane.store.follow_up_log import SqlFollowUpLog
from controlplane.store.incident_log import SqlIncidentLog
from controlplane.store.ladder_log import SqlLadderLog
from controlplane.store.leases import SqlLeases, require_lease
from controlplane.store.outbox import SqlOutbox
from controlplane.store.schema import known_revision, schema_revision
from controlplane.store.status_log import SqlStatusLog
from controlplane.store.telling_log import SqlTellingLog
from controlplane.store.usage_log import SqlUsageLog
from controlplane.store.write_order import WriteOrder


class SqlTransaction:
    """Implements `controlplane.ports.Transaction`; good until its `with` block ends."""

    def __init__(self, connection: Connection) -> None:
        order = WriteOrder(connection)
        self.alerts = SqlAlertLog(connection, order)
        self.events = SqlEventLog(connection, order)
        self.outbox = SqlOutbox(connection, order)
        self.audit = SqlAuditLog(connection, order)
        self.usage = SqlUsageLog(connection)
        self.checks = SqlCheckLog(connection)
        self.status = SqlStatusLog(connection, order)
        self.ladders = SqlLadderLog(connection, order)
        self.incidents = SqlIncidentLog(connection, order)
        self.telling = SqlTellingLog(connection, order)
        self.follow_up = SqlFollowUpLog(connection, order)
        self.access = SqlAccessLog(connection, order)
        self.delivery = SqlDeliveryLog(connection)
        self.anomalies = SqlAnomalyLog(connection, order)
        self._connection = connection

    def database_time(self) -> datetime:
        """The database's own clock at this moment."""
        return database_now(self._connection)


class SqlStore:
    """Implements `controlplane.ports.Store`. Threads may share it; processes that fork may not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.leases = SqlLeases(engine)

    def __repr__(self) -> str:
        return f"SqlStore({describe(self._engine.url)!r})"

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[SqlTransaction]:
        """A unit of work; see the port."""
        with open_transaction(self._engine, read_only=read_only) as connection:
            if lease is not None:
                require_lease(connection, lease)
            yield SqlTransaction(connection)

    def ping(self) -> None:
        """Raise `Transient` unless the database answers and its schema is the one we know."""
        try:
            with open_transaction(self._engine, read_only=True) as connection:
                found = schema_revision(connection)
        except Permanent as error:
            raise Transient(str(error)) from error
        if found != self._known_revision:
            raise Transient(
                f"{describe(self._engine.url)}: the schema is at revision {found or 'none'}, "
                f"this Flyball works with {self._known_revision}"
            )

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    @cached_property
    def _known_revision(self) -> str:
        return known_revision()


def open_store(url: str) -> SqlStore:
    """The store at `url`, `sqlite:///…` or `postgresql://…`; connects when used. `Permanent` for a bad URL."""
    return SqlStore(make_engine(parse_database_url(url)))
