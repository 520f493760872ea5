"""The tables of downshift ladders. The newest migration and this file say the same; a test compares them.

Decimals are text in both databases: SQLite would keep them as floats.
"""

from sqlalchemy import JSON, Boolean, Column, Index, Table, text

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

_NOT_ENDED = text("phase <> 'ended'")

states = Table(
    "ladder_states",
    metadata,
    Column("ladder", Line, primary_key=True),
    Column("applied", JSON, nullable=False),  # tier, since, step, changes as in steps
    Column("counters", JSON, nullable=False),
    Column("updated_at", UTCTime, nullable=False),
    Column("store", Line, nullable=False),
    Column("theirs", JSON(none_as_null=True)),
    Column("told", JSON(none_as_null=True)),
)

steps = Table(
    "ladder_steps",
    metadata,
    Column("id", Line, primary_key=True),
    Column("number", Number, nullable=False),  # of the ladder's, in the order in which they were begun
    Column("ladder", Line, nullable=False),
    Column("store", Line, nullable=False),
    Column("from_tier", Number, nullable=False),
    Column("to_tier", Number, nullable=False),
    Column("cause", Line, nullable=False),
    Column("reason", Line, nullable=False),
    Column("actor", Line, nullable=False),
    Column("decided_at", UTCTime, nullable=False),
    Column("phase", Line, nullable=False),  # intent | writing | showing | verifying | undoing | ended
    Column("changes", JSON, nullable=False),  # [[tier, flag, before, after, is_read], …]
    Column("journeys", JSON, nullable=False),
    Column("approval", Line, nullable=False),
    Column("order_id", Line, nullable=False),  # SQL has the word "order" for itself
    Column("written_at", UTCTime),
    Column("visible_at", UTCTime),
    Column("verified_at", UTCTime),
    Column("ended_at", UTCTime),
    Column("outcome", Line),  # committed | undone | yielded | refused
    Column("undo_as", Line, nullable=False),
    Column("detail", Line, nullable=False),
    Column("attempts", Number, nullable=False),
    Index(None, "ladder", "decided_at"),
    Index("uq_ladder_steps_open", "ladder", unique=True, sqlite_where=_NOT_ENDED, postgresql_where=_NOT_ENDED),
)

approvals = Table(
    "ladder_approvals",
    metadata,
    Column("id", Line, primary_key=True),
    Column("number", Number, nullable=False),
    Column("ladder", Line, nullable=False),
    Column("tier", Number, nullable=False),
    Column("scope", Line, nullable=False),  # step | jump | extend
    Column("actor", Line, nullable=False),
    Column("why", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("until", UTCTime, nullable=False),
    Column("used_by", Line, nullable=False),
    Column("withdrawn_at", UTCTime),
    Index(None, "ladder", "until"),
)

holds = Table(
    "ladder_holds",
    metadata,
    Column("ladder", Line, primary_key=True),
    Column("actor", Line, nullable=False),
    Column("why", Line, nullable=False),
    Column("since", UTCTime, nullable=False),
    Column("until", UTCTime),
)

orders = Table(
    "ladder_orders",
    metadata,
    Column("id", Line, primary_key=True),
    Column("number", Number, nullable=False),
    Column("ladder", Line, nullable=False),
    Column("kind", Line, nullable=False),  # step | drill | keep-theirs | take-back
    Column("argument", Number),
    Column("actor", Line, nullable=False),
    Column("why", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("begun_at", UTCTime),
    Column("done_at", UTCTime),
    Column("is_done_well", Boolean),
    Column("result", Line, nullable=False),
    Column("progress", JSON(none_as_null=True)),
    Index(None, "ladder", "done_at"),
)

receipts = Table(
    "ladder_receipts",
    metadata,
    Column("step", Line, primary_key=True),
    Column("tier", Number, primary_key=True, autoincrement=False),
    Column("ladder", Line, nullable=False),
    Column("currency", Line, nullable=False),
    Column("predicted", Line, nullable=False),
    Column("since", UTCTime, nullable=False),
    Column("until", UTCTime),
    Column("realised", Line),
    Column("low", Line),
    Column("high", Line),
    Column("saved", Line),
    Column("measured_at", UTCTime),
    Column("note", Line, nullable=False),
    Column("remaining", Line),
    Index(None, "ladder", "since"),
)
