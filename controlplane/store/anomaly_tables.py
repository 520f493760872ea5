"""The tables of the anomaly detector. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import JSON, Boolean, Column, Index, LargeBinary, Table, text

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

IS_OPEN = text("ended_at IS NULL")  # as it is written here, or the databases don't see that an index fits

models = Table(
    "anomaly_models",
    metadata,
    Column("detector", Line, primary_key=True),
    Column("chunk", Number, primary_key=True, autoincrement=False),
    Column("version", Number, nullable=False),
    Column("digest", Line, nullable=False),
    Column("fitted_at", UTCTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

episodes = Table(
    "anomaly_episodes",
    metadata,
    Column("id", Line, primary_key=True),
    Column("detector", Line, nullable=False),
    Column("series", Line, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("kind", Line, nullable=False),  # point | sustained | level_shift | gap
    Column("started_at", UTCTime, nullable=False),
    Column("ended_at", UTCTime),
    Column("worst_at", UTCTime, nullable=False),
    Column("value", Line),  # decimals
    Column("expected", Line),
    Column("lower", Line),
    Column("upper", Line),
    Column("score", Line),
    Column("explanation", Line, nullable=False),
    Index(None, "started_at"),
    Index(None, "detector", "started_at"),
    Index(None, "ended_at"),
    Index("ix_anomaly_episodes_open", "detector", "started_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
)

feedback = Table(
    "anomaly_feedback",
    metadata,
    Column("id", Line, primary_key=True),
    Column("detector", Line, nullable=False),
    Column("series", Line, nullable=False),  # empty: all of the detector's
    Column("start_at", UTCTime, nullable=False),
    Column("end_at", UTCTime, nullable=False),
    Column("verdict", Line, nullable=False),  # expected | real
    Column("is_learnt", Boolean, nullable=False),
    Column("actor", Line, nullable=False),
    Column("said_at", UTCTime, nullable=False),
    Column("note", Line, nullable=False),
    Index(None, "detector", "end_at"),
    Index(None, "end_at"),
    Index(None, "said_at"),
)
