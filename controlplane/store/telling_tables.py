"""The tables of what was told outside. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import JSON, Column, Identity, Index, Table

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

objects = Table(
    "outside_objects",
    metadata,
    Column("incident", Line, primary_key=True),
    Column("channel", Line, primary_key=True),
    Column("outside_id", Line, nullable=False),
    Column("opened_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("place", Line, nullable=False),
    Column("url", Line, nullable=False),
    Column("told_version", Number, nullable=False),
    Column("closed_at", UTCTime),
    Column("data", JSON, nullable=False),
    Index(None, "outside_id"),
    Index(None, "closed_at", "opened_at"),
)

attempts = Table(
    "delivery_attempts",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("message", Line, nullable=False),
    Column("channel", Line, nullable=False),
    Column("incident", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("outcome", Line, nullable=False),
    Column("detail", Line, nullable=False),
    Column("attempt", Number, nullable=False),
    Index(None, "incident", "at"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

receipts = Table(
    "alert_receipts",
    metadata,
    Column("fingerprint", Line, primary_key=True),
    Column("starts_at", UTCTime, primary_key=True),
    Column("route", Line, primary_key=True),
    Column("group_key", Line, nullable=False),  # of the last delivery
    Column("first_at", UTCTime, nullable=False),
    Column("last_at", UTCTime, nullable=False),
    Column("deliveries", Number, nullable=False),
    Index(None, "last_at"),
)
