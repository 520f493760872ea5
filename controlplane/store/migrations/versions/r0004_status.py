"""Status pages: what was observed and said, corrections, subscribers."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside what is there, which stays as it is."""
    _create_components()
    _create_incidents()
    _create_updates()
    _create_corrections()
    _create_subscribers()


def downgrade() -> None:
    """Everything that was said in public is lost."""
    for table in (
        "status_subscribers",
        "status_corrections",
        "status_update_edits",
        "status_updates",
        "status_incidents",
        "status_spans",
        "status_components",
    ):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _TIME, nullable=nullable) for name in names]


def _create_components() -> None:
    op.create_table(
        "status_components",
        *_text("page", "component", "status"),
        *_times("since", "created_at", "observed_at"),
        sa.PrimaryKeyConstraint("page", "component", name="pk_status_components"),
    )
    op.create_table(
        "status_spans",
        *_text("page", "component"),
        *_times("start", "until"),
        *_text("status"),
        sa.PrimaryKeyConstraint("page", "component", "start", name="pk_status_spans"),
    )
    op.create_index("ix_status_spans_page_until", "status_spans", ["page", "until"])


def _create_incidents() -> None:
    op.create_table(
        "status_incidents",
        *_text("page", "id", "name", "origin", "status", "impact"),
        sa.Column("component_ids", sa.JSON(), nullable=False),
        *_times("created_at", "started_at", "updated_at"),
        *_times("announced_at", "monitoring_at", "resolved_at", "scheduled_for", "scheduled_until", nullable=True),
        *_times("next_update_by", "overdue_told", "calm_since", nullable=True),
        *_text("maintenance"),
        sa.Column("is_excluded", sa.Boolean(), nullable=False),
        *_text("expects"),
        sa.PrimaryKeyConstraint("page", "id", name="pk_status_incidents"),
    )
    op.create_index("ix_status_incidents_page_resolved_at", "status_incidents", ["page", "resolved_at"])


def _create_updates() -> None:
    op.create_table(
        "status_updates",
        *_text("page", "id", "incident"),
        sa.Column("number", _NUMBER, nullable=False),
        *_text("status", "body", "state", "author"),
        *_times("created_at"),
        *_text("mark"),
        sa.Column("affected", sa.JSON(), nullable=False),
        sa.Column("sets_components", sa.Boolean(), nullable=False),
        sa.Column("next_within_seconds", _NUMBER),
        *_text("approved_by"),
        *_times("approved_at", "published_at", "updated_at", nullable=True),
        sa.PrimaryKeyConstraint("page", "id", name="pk_status_updates"),
        sa.UniqueConstraint("page", "incident", "number", name="uq_status_updates_page_incident_number"),
    )
    op.create_index("ix_status_updates_page_state", "status_updates", ["page", "state"])
    op.create_table(
        "status_update_edits",
        *_text("page", "update_id"),
        sa.Column("revision", _NUMBER, nullable=False),
        *_text("body"),
        *_times("replaced_at"),
        *_text("replaced_by"),
        sa.PrimaryKeyConstraint("page", "update_id", "revision", name="pk_status_update_edits"),
    )


def _create_corrections() -> None:
    op.create_table(
        "status_corrections",
        *_text("page", "id", "component"),
        *_times("start", "until"),
        *_text("status", "reason"),
        *_times("declared_at"),
        *_text("declared_by"),
        sa.Column("from_file", sa.Boolean(), nullable=False),
        *_times("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("page", "id", name="pk_status_corrections"),
    )


def _create_subscribers() -> None:
    op.create_table(
        "status_subscribers",
        *_text("page", "id", "channel", "address", "state", "nonce", "confirm_hash"),
        *_times("created_at", "asked_at", "expires_at"),
        *_times("confirmed_at", "ended_at", nullable=True),
        *_text("language"),
        sa.PrimaryKeyConstraint("page", "id", name="pk_status_subscribers"),
        sa.UniqueConstraint("page", "channel", "address", name="uq_status_subscribers_page_channel_address"),
    )
