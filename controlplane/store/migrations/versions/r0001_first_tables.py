"""The first tables: leases, alerts, events, outbox, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_NO_HASH = "0" * 64


def upgrade() -> None:
    """From nothing."""
    _create_leases()
    _create_alerts()
    _create_events()
    _create_outbox()
    _create_audit()


def downgrade() -> None:
    """To nothing: everything stored is lost."""
    for table in ("audit_head", "audit", "outbox", "events", "alerts", "leases"):
        op.drop_table(table)


def _create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ends_at", _TIME),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("generator_url", sa.Text(), nullable=False),
        sa.Column("first_received_at", _TIME, nullable=False),
        sa.Column("last_received_at", _TIME, nullable=False),
        sa.Column("deliveries", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "starts_at", name="pk_alerts"),
    )
    op.create_index("ix_alerts_status_starts_at", "alerts", ["status", "starts_at"])
    op.create_index("ix_alerts_starts_at", "alerts", ["starts_at"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", _NUMBER, sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("occurred_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_kind_sequence", "events", ["kind", "sequence"])
    op.create_index("ix_events_occurred_at", "events", ["occurred_at"])
    op.create_index("ix_events_recorded_at", "events", ["recorded_at"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("sequence", _NUMBER, sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("enqueued_at", _TIME, nullable=False),
        sa.Column("next_attempt_at", _TIME, nullable=False),
        sa.Column("claimed_until", _TIME),
        sa.Column("finished_at", _TIME),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_state_channel_key_sequence", "outbox", ["state", "channel", "key", "sequence"])
    op.create_index("ix_outbox_state_next_attempt_at", "outbox", ["state", "next_attempt_at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("entries", _NUMBER, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "entries": 0, "hash": _NO_HASH}])
