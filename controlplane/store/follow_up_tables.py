"""The tables of what follows incidents. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, Table

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

actions = Table(
    "incident_actions",
    metadata,
    Column("id", Line, primary_key=True),
    Column("incident", Line, nullable=False),
    Column("title", Line, nullable=False),
    Column("owner", Line, nullable=False),
    Column("due", Date, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("created_by", Line, nullable=False),
    Column("state", Line, nullable=False),  # open | done | dropped
    Column("ended_at", UTCTime),
    Column("ended_by", Line, nullable=False),
    Column("why", Line, nullable=False),
    Column("reported_at", UTCTime),
    Index(None, "incident"),
    Index(None, "state", "due"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("key", Line, primary_key=True),
    Column("tracker", Line, nullable=False),
    Column("title", Line, nullable=False),
    Column("body", Line, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("cause", Line, nullable=False),
    Column("outside_id", Line, nullable=False),
    Column("url", Line, nullable=False),
    Column("wanted_version", Number, nullable=False),
    Column("told_version", Number, nullable=False),
    Column("data", JSON, nullable=False),
    Index(None, "created_at"),
)

runs = Table(
    "runbook_runs",
    metadata,
    Column("id", Line, primary_key=True),
    Column("runbook", Line, nullable=False),
    Column("incident", Line, nullable=False),
    Column("actor", Line, nullable=False),
    Column("is_dry", Boolean, nullable=False),
    Column("state", Line, nullable=False),  # waiting | running | done | failed | refused | cancelled
    Column("created_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("next_step", Number, nullable=False),
    Column("results", JSON, nullable=False),
    Column("steps_hash", Line, nullable=False),
    Column("why", Line, nullable=False),
    Index(None, "incident", "created_at"),
    Index(None, "runbook", "created_at"),
    Index(None, "created_at"),
)
