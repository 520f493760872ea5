"""The tables of status pages. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import JSON, Boolean, Column, Index, Table, UniqueConstraint

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

states = Table(
    "status_components",
    metadata,
    Column("page", Line, primary_key=True),
    Column("component", Line, primary_key=True),
    Column("status", Line, nullable=False),
    Column("since", UTCTime, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("observed_at", UTCTime, nullable=False),
)

spans = Table(
    "status_spans",
    metadata,
    Column("page", Line, primary_key=True),
    Column("component", Line, primary_key=True),
    Column("start", UTCTime, primary_key=True),
    Column("until", UTCTime, nullable=False),  # SQL has the word "end" for itself
    Column("status", Line, nullable=False),
    Index(None, "page", "until"),
)

incidents = Table(
    "status_incidents",
    metadata,
    Column("page", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("name", Line, nullable=False),
    Column("origin", Line, nullable=False),  # manual | automatic | declared
    Column("status", Line, nullable=False),
    Column("impact", Line, nullable=False),
    Column("component_ids", JSON, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("started_at", UTCTime, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("announced_at", UTCTime),
    Column("monitoring_at", UTCTime),
    Column("resolved_at", UTCTime),
    Column("scheduled_for", UTCTime),
    Column("scheduled_until", UTCTime),
    Column("next_update_by", UTCTime),
    Column("overdue_told", UTCTime),
    Column("calm_since", UTCTime),
    Column("maintenance", Line, nullable=False),
    Column("is_excluded", Boolean, nullable=False),
    Column("expects", Line, nullable=False),
    Index(None, "page", "resolved_at"),
)

updates = Table(
    "status_updates",
    metadata,
    Column("page", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("incident", Line, nullable=False),
    Column("number", Number, nullable=False),
    Column("status", Line, nullable=False),
    Column("body", Line, nullable=False),
    Column("state", Line, nullable=False),  # draft | approved | published | discarded
    Column("author", Line, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("mark", Line, nullable=False),
    Column("affected", JSON, nullable=False),  # [[id, name, old, new], …]
    Column("sets_components", Boolean, nullable=False),
    Column("next_within_seconds", Number),
    Column("approved_by", Line, nullable=False),
    Column("approved_at", UTCTime),
    Column("published_at", UTCTime),
    Column("updated_at", UTCTime),
    UniqueConstraint("page", "incident", "number"),
    Index(None, "page", "state"),
)

edits = Table(
    "status_update_edits",
    metadata,
    Column("page", Line, primary_key=True),
    Column("update_id", Line, primary_key=True),
    Column("revision", Number, primary_key=True, autoincrement=False),
    Column("body", Line, nullable=False),  # what it said before
    Column("replaced_at", UTCTime, nullable=False),
    Column("replaced_by", Line, nullable=False),
)

corrections = Table(
    "status_corrections",
    metadata,
    Column("page", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("component", Line, nullable=False),
    Column("start", UTCTime, nullable=False),
    Column("until", UTCTime, nullable=False),
    Column("status", Line, nullable=False),
    Column("reason", Line, nullable=False),
    Column("declared_at", UTCTime, nullable=False),
    Column("declared_by", Line, nullable=False),
    Column("from_file", Boolean, nullable=False),
    Column("withdrawn_at", UTCTime),
)

subscribers = Table(
    "status_subscribers",
    metadata,
    Column("page", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("channel", Line, nullable=False),  # webhook | email
    Column("address", Line, nullable=False),
    Column("state", Line, nullable=False),  # pending | active | ended
    Column("nonce", Line, nullable=False),
    Column("confirm_hash", Line, nullable=False),  # SHA-256 of the token that confirms
    Column("created_at", UTCTime, nullable=False),
    Column("asked_at", UTCTime, nullable=False),
    Column("expires_at", UTCTime, nullable=False),
    Column("confirmed_at", UTCTime),
    Column("ended_at", UTCTime),
    Column("language", Line, nullable=False),
    UniqueConstraint("page", "channel", "address"),
)
