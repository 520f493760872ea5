"""The tables of checks from outside. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import Boolean, Column, Double, Index, Table

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

results = Table(
    "check_results",
    metadata,
    Column("kind", Line, primary_key=True),  # probe | journey | self-check
    Column("name", Line, primary_key=True),  # of the check; SQL has the word "check" for itself
    Column("region", Line, primary_key=True),
    Column("started_at", UTCTime, primary_key=True),
    Column("arrival", Number, nullable=False),  # number of the report that brought it, over all regions
    Column("duration_seconds", Double, nullable=False),
    Column("outcome", Line, nullable=False),  # ok | failed | fault
    Column("reason", Line, nullable=False),
    Column("detail", Line, nullable=False),
    Column("measured", Line, nullable=False),  # JSON: [[[timing, seconds], …], [[sample, value, labels], …]]
    Column("trace_id", Line, nullable=False),
    Column("confirms", Boolean, nullable=False),
    Index(None, "arrival"),
    sqlite_with_rowid=False,  # one tree instead of two
)

hours = Table(
    "check_hours",
    metadata,
    Column("kind", Line, primary_key=True),
    Column("name", Line, primary_key=True),
    Column("region", Line, primary_key=True),
    Column("start", UTCTime, primary_key=True),
    Column("ok", Number, nullable=False),
    Column("failed", Number, nullable=False),
    Column("fault", Number, nullable=False),
    Column("seconds", Double, nullable=False),  # of the runs that were ok
    Index(None, "start"),
    sqlite_with_rowid=False,
)

totals = Table(
    "check_totals",  # also: which checks there ever were
    metadata,
    Column("kind", Line, primary_key=True),
    Column("name", Line, primary_key=True),
    Column("region", Line, primary_key=True),
    Column("start", UTCTime, nullable=False),  # of the first hour
    Column("last_at", UTCTime, nullable=False),  # when the newest run started
    Column("ok", Number, nullable=False),
    Column("failed", Number, nullable=False),
    Column("fault", Number, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("buckets", Line, nullable=False),  # JSON: how many of the runs that were ok took how long
    sqlite_with_rowid=False,
)

reports = Table(
    "check_reports",  # those taken
    metadata,
    Column("region", Line, primary_key=True),
    Column("prober", Line, primary_key=True),
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("received_at", UTCTime, nullable=False),
    Index(None, "received_at"),
    sqlite_with_rowid=False,
)

contacts = Table(
    "check_contacts",
    metadata,
    Column("region", Line, primary_key=True),
    Column("prober", Line, nullable=False),
    Column("sequence", Number, nullable=False),
    Column("reported_at", UTCTime, nullable=False),
    Column("buffered", Number, nullable=False),
    Column("version", Line, nullable=False),
    Column("arrival", Number, nullable=False),  # of the region's newest report; the largest of all was given out last
)

verdicts = Table(
    "check_verdicts",
    metadata,
    Column("kind", Line, primary_key=True),
    Column("name", Line, primary_key=True),
    Column("verdict", Line, nullable=False),  # up | regional | global | unknown
    Column("since", UTCTime, nullable=False),
    Column("needed", Number, nullable=False),
    Column("flapping", Boolean, nullable=False),
    Column("regions", Line, nullable=False),  # JSON: [region, state, since, detail, latest_at, trace_id] of each
)
