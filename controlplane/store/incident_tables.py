"""The tables of incidents. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import JSON, Column, Identity, Index, Table, UniqueConstraint, text

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

IS_OPEN = text("state <> 'resolved'")  # as it is written here, or the databases don't see that the index fits
_WAITS = text("fired_at IS NULL AND cancelled_at IS NULL")

incidents = Table(
    "incidents",
    metadata,
    Column("id", Line, primary_key=True),
    Column("number", Number, nullable=False),
    Column("key", Line, nullable=False),
    Column("title", Line, nullable=False),
    Column("priority", Line, nullable=False),  # P0 … P4: sorts as it stands
    Column("state", Line, nullable=False),  # open | acknowledged | resolved
    Column("origin", Line, nullable=False),
    Column("started_at", UTCTime, nullable=False),
    Column("opened_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("version", Number, nullable=False),
    Column("service", Line, nullable=False),
    Column("summary", Line, nullable=False),
    Column("policy", Line, nullable=False),
    Column("routes", JSON, nullable=False),
    Column("receivers", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("acknowledged_at", UTCTime),
    Column("acknowledged_by", Line, nullable=False),
    Column("resolved_at", UTCTime),
    Column("resolved_by", Line, nullable=False),
    Column("resolution", Line, nullable=False),
    Column("quiet_since", UTCTime),
    Column("repeats", Line, nullable=False),
    Column("price", JSON(none_as_null=True)),  # decimals are text
    Column("suspects", JSON, nullable=False),
    UniqueConstraint("number"),
    Index("uq_incidents_open_key", "key", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index(None, "key", "opened_at"),
    Index(None, "opened_at"),
    Index(None, "resolved_at"),
)

members = Table(
    "incident_alerts",
    metadata,
    Column("fingerprint", Line, primary_key=True),
    Column("starts_at", UTCTime, primary_key=True),
    Column("incident", Line, nullable=False),
    Column("joined_at", UTCTime, nullable=False),
    Column("ended_at", UTCTime),
    Index(None, "incident", "ended_at"),
)

timeline = Table(
    "incident_timeline",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("id", Line, nullable=False),
    Column("incident", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("recorded_at", UTCTime, nullable=False),
    Column("kind", Line, nullable=False),
    Column("text", Line, nullable=False),
    Column("actor", Line, nullable=False),
    Column("data", JSON, nullable=False),
    UniqueConstraint("incident", "id"),
    Index(None, "incident", "at", "sequence"),
    sqlite_autoincrement=True,
)

steps = Table(
    "escalation_steps",
    metadata,
    Column("incident", Line, primary_key=True),
    Column("policy", Line, primary_key=True),
    Column("round", Number, primary_key=True, autoincrement=False),
    Column("step", Number, primary_key=True, autoincrement=False),
    Column("due_at", UTCTime, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("fired_at", UTCTime),
    Column("cancelled_at", UTCTime),
    Column("told", JSON, nullable=False),
    Index("ix_escalation_steps_waiting", "due_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
)

cursors = Table(
    "event_cursors",
    metadata,
    Column("name", Line, primary_key=True),
    Column("sequence", Number, nullable=False),
)
