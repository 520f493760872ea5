"""The tables of metering. The newest migration and this file say the same; a test compares them on both databases."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, LargeBinary, Table

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

events = Table(
    "usage_events",
    metadata,
    Column("tenant", Line, primary_key=True),
    Column("source", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of what it says
    Column("booked", Line, nullable=False),  # the month whose invoice it stands on
    Column("period", Line, nullable=False),  # the month in which it happened
    Column("time", UTCTime, nullable=False),
    Column("received_at", UTCTime, nullable=False),
    Column("readings", Line, nullable=False),  # JSON: [meter, aggregation, quantity, dimensions] of every meter
    sqlite_with_rowid=False,  # one tree instead of two
)

aside = Table(
    "usage_aside",
    metadata,
    Column("tenant", Line, primary_key=True),
    Column("source", Line, primary_key=True),
    Column("id", Line, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("reason", Line, nullable=False),  # conflict | unknown_type | unknown_tenant
    Column("booked", Line, nullable=False),
    Column("period", Line, nullable=False),
    Column("time", UTCTime, nullable=False),
    Column("received_at", UTCTime, nullable=False),
    Column("readings", Line, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("seen", Number, nullable=False),
    Index(None, "booked"),
)

values = Table(
    "usage_values",  # what UNIQUE meters have seen in a month
    metadata,
    Column("period", Line, primary_key=True),
    Column("tenant", Line, primary_key=True),
    Column("meter", Line, primary_key=True),
    Column("value", Line, primary_key=True),
    sqlite_with_rowid=False,
)

totals = Table(
    "usage_totals",
    metadata,
    Column("booked", Line, primary_key=True),
    Column("period", Line, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("tenant", Line, primary_key=True),
    Column("meter", Line, primary_key=True),
    Column("dimensions", Line, primary_key=True),
    Column("aggregation", Line, nullable=False),
    Column("quantity", Line, nullable=False),  # exact decimals are text on both databases
    Column("events", Number, nullable=False),
    Column("quarantined", Line, nullable=False),
    Column("quarantined_events", Number, nullable=False),
    Index(None, "period"),
)

counters = Table(
    "usage_counters",
    metadata,
    Column("meter", Line, primary_key=True),
    Column("tenant", Line, primary_key=True),  # empty: those not shown alone
    Column("aggregation", Line, nullable=False),
    Column("quantity", Line, nullable=False),
    Column("events", Number, nullable=False),
    Column("trace_id", Line, nullable=False),
    Column("traced", Line, nullable=False),
    Column("traced_at", UTCTime),
)

tenants = Table(
    "usage_tenants",
    metadata,
    Column("tenant", Line, primary_key=True),
    Column("shown", Boolean, nullable=False),
)

outcomes = Table(
    "usage_outcomes",
    metadata,
    Column("outcome", Line, primary_key=True),
    Column("events", Number, nullable=False),
)

periods = Table(
    "usage_periods",
    metadata,
    Column("period", Line, primary_key=True),
    Column("state", Line, nullable=False),  # open | grace | closing | closed
    Column("moved_at", UTCTime, nullable=False),
    Column("closed_at", UTCTime),
    Column("controls", JSON),
)

lines = Table(
    "usage_lines",
    metadata,
    Column("booked", Line, primary_key=True),
    Column("kind", Line, primary_key=True),  # usage | adjustment | credit
    Column("tenant", Line, primary_key=True),
    Column("item", Line, primary_key=True),
    Column("period", Line, primary_key=True),
    Column("unit", Line, nullable=False),
    Column("quantity", Line, nullable=False),
    Column("free", Line, nullable=False),
    Column("billed", Line, nullable=False),
    Column("currency", Line, nullable=False),
    Column("amount", Line, nullable=False),
    Column("terms", JSON, nullable=False),
    Column("note", Line, nullable=False),
)
