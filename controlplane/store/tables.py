"""Every table; those of metering stand in `usage_tables`, of checks in `check_tables`, of pages in `status_tables`,
of ladders in `ladder_tables`, of incidents and their aftermath in `incident_tables`, `telling_tables`,
`follow_up_tables` and `access_tables`, of anomalies in `anomaly_tables`.

The newest migration and this file say the same; a test compares them on both databases.
"""

from sqlalchemy import JSON, Column, Identity, Index, Table, UniqueConstraint

from controlplane.store import (
    access_tables,
    anomaly_tables,
    check_tables,
    follow_up_tables,
    incident_tables,
    ladder_tables,
    status_tables,
    telling_tables,
    usage_tables,
)
from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

__all__ = [
    "access_tables",
    "alerts",
    "anomaly_tables",
    "audit",
    "audit_head",
    "check_tables",
    "events",
    "follow_up_tables",
    "incident_tables",
    "ladder_tables",
    "leases",
    "metadata",
    "outbox",
    "status_tables",
    "telling_tables",
    "usage_tables",
]

leases = Table(
    "leases",
    metadata,
    Column("name", Line, primary_key=True),
    Column("holder", Line),  # NULL when given up
    Column("epoch", Number, nullable=False),
    Column("expires_at", UTCTime, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("fingerprint", Line, primary_key=True),
    Column("starts_at", UTCTime, primary_key=True),
    Column("status", Line, nullable=False),
    Column("ends_at", UTCTime),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("generator_url", Line, nullable=False),
    Column("first_received_at", UTCTime, nullable=False),
    Column("last_received_at", UTCTime, nullable=False),
    Column("deliveries", Number, nullable=False),
    Index(None, "status", "starts_at"),
    Index(None, "starts_at"),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("id", Line, nullable=False),
    Column("kind", Line, nullable=False),
    Column("subject", Line, nullable=False),
    Column("occurred_at", UTCTime, nullable=False),
    Column("recorded_at", UTCTime, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("id"),
    Index(None, "kind", "sequence"),
    Index(None, "occurred_at"),
    Index(None, "recorded_at"),
    sqlite_autoincrement=True,  # a number is never used twice, even after a purge
)

outbox = Table(
    "outbox",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("id", Line, nullable=False),
    Column("channel", Line, nullable=False),
    Column("key", Line, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", Line, nullable=False),  # pending | delivered | dead
    Column("attempts", Number, nullable=False),
    Column("enqueued_at", UTCTime, nullable=False),
    Column("next_attempt_at", UTCTime, nullable=False),
    Column("claimed_until", UTCTime),
    Column("finished_at", UTCTime),
    Column("last_error", Line, nullable=False),
    Column("urgency", Number, nullable=False, server_default="4"),
    Column("open_claims", Number, nullable=False, server_default="0"),  # claims that nobody has said the end of
    UniqueConstraint("id"),
    Index(None, "state", "channel", "key", "sequence"),
    Index(None, "state", "channel", "urgency", "sequence"),
    Index(None, "state", "next_attempt_at"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("at", UTCTime, nullable=False),
    Column("actor", Line, nullable=False),
    Column("action", Line, nullable=False),
    Column("subject", Line, nullable=False),
    Column("detail", Line, nullable=False),  # canonical JSON, the very bytes that were hashed
    Column("previous_hash", Line, nullable=False),
    Column("hash", Line, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),  # always 1
    Column("entries", Number, nullable=False),
    Column("hash", Line, nullable=False),
)
