"""The tables of delivery events. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import Column, Identity, Index, LargeBinary, Table, text

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

IS_KNOWN = text("entity <> ''")  # as these are written here, or the databases don't see that an index fits
IS_UNKNOWN = text("entity = ''")

events = Table(
    "delivery_events",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("key", LargeBinary, nullable=False),  # 16 bytes that stand for (source, id): see `delivery_rows.event_key`
    Column("received_at", UTCTime, nullable=False),
    Column("source", Line, nullable=False),
    Column("id", Line, nullable=False),
    Column("type", Line, nullable=False),
    Column("subject", Line, nullable=False),
    Column("time", UTCTime, nullable=False),
    Column("entity", Line, nullable=False),  # empty: kept, but of a type that we make nothing of
    Column("sender", Line, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of what it says
    Column("trace_id", Line, nullable=False),
    Column("body", LargeBinary, nullable=False),  # packed: see `delivery_packing`
    Index("uq_delivery_events_key", "key", unique=True),
    Index("ix_delivery_events_entity", "entity", sqlite_where=IS_KNOWN, postgresql_where=IS_KNOWN),
    Index("ix_delivery_events_unknown", "sequence", sqlite_where=IS_UNKNOWN, postgresql_where=IS_UNKNOWN),
    Index(None, "source", "sequence"),
    Index(None, "subject", "sequence"),
    Index(None, "type", "sender", "sequence"),
    sqlite_autoincrement=True,
)

event_counts = Table(
    "delivery_event_counts",
    metadata,
    Column("type", Line, primary_key=True),
    Column("sender", Line, primary_key=True),
    Column("outcome", Line, primary_key=True),  # accepted | unknown | duplicate | conflict | refused
    Column("events", Number, nullable=False),
)

progress = Table(
    "delivery_progress",
    metadata,
    Column("name", Line, primary_key=True),
    Column("value", Line, nullable=False),  # JSON
)
