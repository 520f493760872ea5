"""The tables of what follows from delivery events. The newest migration and this file say the same."""

from sqlalchemy import Boolean, Column, Identity, Index, LargeBinary, Table, text

from controlplane.store.columns import Line, Number, UTCTime
from controlplane.store.metadata import metadata

BY_REVISION = text("repository <> '' AND revision <> ''")  # as it is written here, or no index is seen to fit
OF_REPOSITORY = text("repository <> ''")
NAMES = text("deployment <> ''")
IS_OPEN = text("resolved_at IS NULL")

deployments = Table(
    "delivery_deployments",
    metadata,
    Column("id", Line, primary_key=True),
    Column("service", Line, nullable=False),
    Column("environment", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("kind", Line, nullable=False),  # deployed | upgraded | rolledback | removed
    Column("outcome", Line, nullable=False),  # succeeded | failed
    Column("started_at", UTCTime),
    Column("version", Line, nullable=False),
    Column("artifacts", Line, nullable=False),  # JSON, as all lists here
    Column("repository", Line, nullable=False),
    Column("revision", Line, nullable=False),
    Column("changes", Line, nullable=False),
    Column("undoes", Line, nullable=False),
    Column("remedies", Line, nullable=False),
    Column("is_unplanned", Boolean, nullable=False),
    Column("run", Line, nullable=False),
    Column("url", Line, nullable=False),
    Column("trace_id", Line, nullable=False),
    Index(None, "at"),
    Index(None, "service", "environment", "at"),
    Index(
        "ix_delivery_deployments_by_revision", "repository", "at", "service", "environment",
        sqlite_where=BY_REVISION, postgresql_where=BY_REVISION,
    ),
)  # fmt: skip

deployed_artifacts = Table(
    "delivery_deployed_artifacts",  # the artifacts of every deployment, to be found by
    metadata,
    Column("artifact", LargeBinary, primary_key=True),  # see `delivery_rows.short`: two long names fit in no index
    Column("deployment", Line, primary_key=True),
    sqlite_with_rowid=False,
)

deployed_changes = Table(
    "delivery_deployed_changes",  # the changes that deployments name themselves, likewise
    metadata,
    Column("change", LargeBinary, primary_key=True),
    Column("deployment", Line, primary_key=True),
    sqlite_with_rowid=False,
)

changes = Table(
    "delivery_changes",
    metadata,
    Column("id", Line, primary_key=True),
    Column("repository", Line, nullable=False),
    Column("merged_at", UTCTime, nullable=False),
    Column("revision", Line, nullable=False),
    Column("first_commit_at", UTCTime),
    Column("opened_at", UTCTime),
    Column("approved_at", UTCTime),
    Column("services", Line, nullable=False),
    Column("reverts", Line, nullable=False),
    Column("is_hotfix", Boolean, nullable=False),
    Column("remedies", Line, nullable=False),
    Column("title", Line, nullable=False),
    Column("url", Line, nullable=False),
    Index(None, "repository", "merged_at"),
    Index(
        "ix_delivery_changes_by_revision", "revision", "repository",
        sqlite_where=BY_REVISION, postgresql_where=BY_REVISION,
    ),
)  # fmt: skip

artifacts = Table(
    "delivery_artifacts",
    metadata,
    Column("id", Line, primary_key=True),
    Column("short", LargeBinary, nullable=False),  # of its id
    Column("change", Line, nullable=False),
    Column("repository", Line, nullable=False),
    Column("revision", Line, nullable=False),
    Index("ix_delivery_artifacts_repository", "repository", sqlite_where=OF_REPOSITORY, postgresql_where=OF_REPOSITORY),
)

incidents = Table(
    "delivery_incidents",
    metadata,
    Column("id", Line, primary_key=True),
    Column("service", Line, nullable=False),
    Column("environment", Line, nullable=False),
    Column("started_at", UTCTime, nullable=False),
    Column("resolved_at", UTCTime),
    Column("deployment", Line, nullable=False),
    Column("name", Line, nullable=False),
    Column("title", Line, nullable=False),
    Column("priority", Line, nullable=False),
    Column("url", Line, nullable=False),
    Column("is_counted", Boolean, nullable=False),
    Index(None, "started_at"),
    Index(None, "resolved_at"),
    Index(None, "service", "started_at"),
    Index("ix_delivery_incidents_open", "started_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index("ix_delivery_incidents_deployment", "deployment", sqlite_where=NAMES, postgresql_where=NAMES),
)

services = Table(
    "delivery_services",  # whatever ever had a deployment or an incident
    metadata,
    Column("service", Line, primary_key=True),
    Column("environment", Line, primary_key=True),
    sqlite_with_rowid=False,
)

corrections = Table(
    "delivery_corrections",
    metadata,
    Column("sequence", Number, Identity(always=True), primary_key=True),
    Column("incident", Line, nullable=False),
    Column("deployment", Line, nullable=False),
    Column("actor", Line, nullable=False),
    Column("at", UTCTime, nullable=False),
    Column("note", Line, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Index(None, "incident", "sequence"),
    Index("ix_delivery_corrections_deployment", "deployment", sqlite_where=NAMES, postgresql_where=NAMES),
    sqlite_autoincrement=True,
)
