"""Metering: events of usage, what they add up to, periods and invoice lines."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside the first tables, which stay as they are."""
    _create_events()
    _create_totals()
    _create_counters()
    _create_billing()


def downgrade() -> None:
    """Everything metered is lost."""
    for table in (
        "usage_lines",
        "usage_periods",
        "usage_outcomes",
        "usage_tenants",
        "usage_counters",
        "usage_totals",
        "usage_values",
        "usage_aside",
        "usage_events",
    ):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _create_events() -> None:
    op.create_table(
        "usage_events",
        *_text("tenant", "source", "id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_text("booked", "period"),
        sa.Column("time", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        *_text("readings"),
        sa.PrimaryKeyConstraint("tenant", "source", "id", name="pk_usage_events"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_aside",
        *_text("tenant", "source", "id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_text("reason", "booked", "period"),
        sa.Column("time", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        *_text("readings"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("seen", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", "id", "digest", name="pk_usage_aside"),
    )
    op.create_index("ix_usage_aside_booked", "usage_aside", ["booked"])
    op.create_table(
        "usage_values",
        *_text("period", "tenant", "meter", "value"),
        sa.PrimaryKeyConstraint("period", "tenant", "meter", "value", name="pk_usage_values"),
        sqlite_with_rowid=False,
    )


def _create_totals() -> None:
    op.create_table(
        "usage_totals",
        *_text("booked", "period"),
        sa.Column("day", sa.Date(), nullable=False),
        *_text("tenant", "meter", "dimensions", "aggregation", "quantity"),
        sa.Column("events", _NUMBER, nullable=False),
        *_text("quarantined"),
        sa.Column("quarantined_events", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint(
            "booked", "period", "day", "tenant", "meter", "dimensions", name="pk_usage_totals"
        ),
    )  # fmt: skip
    op.create_index("ix_usage_totals_period", "usage_totals", ["period"])


def _create_counters() -> None:
    op.create_table(
        "usage_counters",
        *_text("meter", "tenant", "aggregation", "quantity"),
        sa.Column("events", _NUMBER, nullable=False),
        *_text("trace_id", "traced"),
        sa.Column("traced_at", _TIME),
        sa.PrimaryKeyConstraint("meter", "tenant", name="pk_usage_counters"),
    )
    op.create_table(
        "usage_tenants",
        *_text("tenant"),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_usage_tenants"),
    )
    op.create_table(
        "usage_outcomes",
        *_text("outcome"),
        sa.Column("events", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("outcome", name="pk_usage_outcomes"),
    )


def _create_billing() -> None:
    op.create_table(
        "usage_periods",
        *_text("period", "state"),
        sa.Column("moved_at", _TIME, nullable=False),
        sa.Column("closed_at", _TIME),
        sa.Column("controls", sa.JSON()),
        sa.PrimaryKeyConstraint("period", name="pk_usage_periods"),
    )
    op.create_table(
        "usage_lines",
        *_text("booked", "kind", "tenant", "item", "period", "unit"),
        *_text("quantity", "free", "billed", "currency", "amount"),
        sa.Column("terms", sa.JSON(), nullable=False),
        *_text("note"),
        sa.PrimaryKeyConstraint("booked", "kind", "tenant", "item", "period", name="pk_usage_lines"),
    )
