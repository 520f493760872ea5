"""Delivery: events as they came, the facts that follow from them, and what was measured of the facts."""

from datetime import date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_BY_REVISION = "repository <> '' AND revision <> ''"


def upgrade() -> None:
    """Beside what is there."""
    _create_events()
    _create_deployments()
    _create_changes()
    _create_incidents()
    _create_measures()
    _create_effects()


def downgrade() -> None:
    """Every event of delivery, every correction and every counter is lost."""
    for table in (
        "delivery_effects",
        "delivery_counters",
        "delivery_sheets",
        "delivery_stale_days",
        "delivery_corrections",
        "delivery_services",
        "delivery_incidents",
        "delivery_artifacts",
        "delivery_changes",
        "delivery_deployed_changes",
        "delivery_deployed_artifacts",
        "delivery_deployments",
        "delivery_progress",
        "delivery_event_counts",
        "delivery_events",
    ):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _TIME, nullable=nullable) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _sequence() -> sa.Column[int]:
    return sa.Column("sequence", _NUMBER, sa.Identity(always=True), nullable=False)


def _day() -> sa.Column[date]:
    return sa.Column("day", sa.Date(), nullable=False)


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _create_events() -> None:
    op.create_table(
        "delivery_events",
        _sequence(),
        *_bytes("key"),
        *_times("received_at"),
        *_text("source", "id", "type", "subject"),
        *_times("time"),
        *_text("entity", "sender"),
        *_bytes("digest"),
        *_text("trace_id"),
        *_bytes("body"),
        sa.PrimaryKeyConstraint("sequence", name="pk_delivery_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_delivery_events_key", "delivery_events", ["key"], unique=True)
    _partial_index("ix_delivery_events_entity", "delivery_events", ["entity"], "entity <> ''")
    _partial_index("ix_delivery_events_unknown", "delivery_events", ["sequence"], "entity = ''")
    for columns in (["source"], ["subject"], ["type", "sender"]):
        name = "_".join(["ix_delivery_events", *columns, "sequence"])
        op.create_index(name, "delivery_events", [*columns, "sequence"])
    op.create_table(
        "delivery_event_counts",
        *_text("type", "sender", "outcome"),
        sa.Column("events", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("type", "sender", "outcome", name="pk_delivery_event_counts"),
    )
    op.create_table(
        "delivery_progress",
        *_text("name", "value"),
        sa.PrimaryKeyConstraint("name", name="pk_delivery_progress"),
    )


def _create_deployments() -> None:
    table = "delivery_deployments"
    op.create_table(
        table,
        *_text("id", "service", "environment"),
        *_times("at"),
        *_text("kind", "outcome"),
        *_times("started_at", nullable=True),
        *_text("version", "artifacts", "repository", "revision", "changes", "undoes", "remedies"),
        *_flags("is_unplanned"),
        *_text("run", "url", "trace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_deployments"),
    )
    op.create_index("ix_delivery_deployments_at", table, ["at"])
    op.create_index("ix_delivery_deployments_service_environment_at", table, ["service", "environment", "at"])
    found_by = ["repository", "at", "service", "environment"]
    _partial_index("ix_delivery_deployments_by_revision", table, found_by, _BY_REVISION)
    for part in ("artifact", "change"):
        op.create_table(
            f"delivery_deployed_{part}s",
            *_bytes(part),
            *_text("deployment"),
            sa.PrimaryKeyConstraint(part, "deployment", name=f"pk_delivery_deployed_{part}s"),
            sqlite_with_rowid=False,
        )


def _create_changes() -> None:
    op.create_table(
        "delivery_changes",
        *_text("id", "repository"),
        *_times("merged_at"),
        *_text("revision"),
        *_times("first_commit_at", "opened_at", "approved_at", nullable=True),
        *_text("services", "reverts"),
        *_flags("is_hotfix"),
        *_text("remedies", "title", "url"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_changes"),
    )
    op.create_index("ix_delivery_changes_repository_merged_at", "delivery_changes", ["repository", "merged_at"])
    _partial_index("ix_delivery_changes_by_revision", "delivery_changes", ["revision", "repository"], _BY_REVISION)
    op.create_table(
        "delivery_artifacts",
        *_text("id"),
        *_bytes("short"),
        *_text("change", "repository", "revision"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_artifacts"),
    )
    _partial_index("ix_delivery_artifacts_repository", "delivery_artifacts", ["repository"], "repository <> ''")


def _create_incidents() -> None:
    table = "delivery_incidents"
    op.create_table(
        table,
        *_text("id", "service", "environment"),
        *_times("started_at"),
        *_times("resolved_at", nullable=True),
        *_text("deployment", "name", "title", "priority", "url"),
        *_flags("is_counted"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_incidents"),
    )
    op.create_index("ix_delivery_incidents_started_at", table, ["started_at"])
    op.create_index("ix_delivery_incidents_resolved_at", table, ["resolved_at"])
    op.create_index("ix_delivery_incidents_service_started_at", table, ["service", "started_at"])
    _partial_index("ix_delivery_incidents_open", table, ["started_at"], "resolved_at IS NULL")
    _partial_index("ix_delivery_incidents_deployment", table, ["deployment"], "deployment <> ''")
    op.create_table(
        "delivery_services",
        *_text("service", "environment"),
        sa.PrimaryKeyConstraint("service", "environment", name="pk_delivery_services"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery_corrections",
        _sequence(),
        *_text("incident", "deployment", "actor"),
        *_times("at"),
        *_text("note"),
        *_flags("is_withdrawn"),
        sa.PrimaryKeyConstraint("sequence", name="pk_delivery_corrections"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_corrections_incident_sequence", "delivery_corrections", ["incident", "sequence"])
    _partial_index("ix_delivery_corrections_deployment", "delivery_corrections", ["deployment"], "deployment <> ''")


def _create_measures() -> None:
    op.create_table(
        "delivery_stale_days",
        *_text("service", "environment"),
        _day(),
        sa.PrimaryKeyConstraint("service", "environment", "day", name="pk_delivery_stale_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery_sheets",
        *_text("service", "environment"),
        _day(),
        *_bytes("body"),
        sa.PrimaryKeyConstraint("service", "environment", "day", name="pk_delivery_sheets"),
    )
    op.create_index("ix_delivery_sheets_day", "delivery_sheets", ["day"])
    op.create_table(
        "delivery_counters",
        *_text("name", "service", "environment", "labels", "value", "exemplar"),
        sa.PrimaryKeyConstraint("name", "service", "environment", "labels", name="pk_delivery_counters"),
    )


def _create_effects() -> None:
    table = "delivery_effects"
    op.create_table(
        table,
        *_text("deployment", "subject", "service", "environment"),
        *_times("at"),
        *_text("state"),
        sa.Column("score", sa.Text()),
        sa.Column("rank", sa.Float(53)),
        *_text("body"),
        sa.PrimaryKeyConstraint("deployment", "subject", name="pk_delivery_effects"),
    )
    op.create_index("ix_delivery_effects_at", table, ["at"])
    op.create_index("ix_delivery_effects_service_at", table, ["service", "at"])
    _partial_index("ix_delivery_effects_waiting", table, ["at"], "state = 'waiting'")
