"""The tables of what was measured of deliveries. The newest migration and this file say the same."""

from typing import Final

from sqlalchemy import Column, Date, Float, Index, LargeBinary, Table, text

from controlplane.store.columns import Line, UTCTime
from controlplane.store.metadata import metadata

WAITING: Final = "waiting"
WAITS = text("state = 'waiting'")  # as it is written here, or no index is seen to fit

stale = Table(
    "delivery_stale_days",
    metadata,
    Column("service", Line, primary_key=True),
    Column("environment", Line, primary_key=True),
    Column("day", Date, primary_key=True),
    sqlite_with_rowid=False,
)

sheets = Table(
    "delivery_sheets",
    metadata,
    Column("service", Line, primary_key=True),
    Column("environment", Line, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Index(None, "day"),
)

counters = Table(
    "delivery_counters",
    metadata,
    Column("name", Line, primary_key=True),
    Column("service", Line, primary_key=True),
    Column("environment", Line, primary_key=True),
    Column("labels", Line, primary_key=True),  # JSON, sorted
    Column("value", Line, nullable=False),  # exact decimals are text on both databases
    Column("exemplar", Line, nullable=False),  # JSON
)

effects = Table(
    "delivery_effects",
    metadata,
    Column("deployment", Line, primary_key=True),
    Column("subject", Line, primary_key=True),
    Column("service", Line, nullable=False),
    Column("environment", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("state", Line, nullable=False),  # waiting | measured | unknown
    Column("score", Line),
    Column("rank", Float(53)),  # the score, to sort by
    Column("body", Line, nullable=False),  # JSON
    Index(None, "at"),
    Index(None, "service", "at"),
    Index("ix_delivery_effects_waiting", "at", sqlite_where=WAITS, postgresql_where=WAITS),
)
