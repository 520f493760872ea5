"""Checks from outside: results, what they add up to, who reports them, and verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside what is there, which stays as it is."""
    _create_results()
    _create_sums()
    _create_reports()
    _create_verdicts()


def downgrade() -> None:
    """Everything that was probed is lost."""
    for table in (
        "check_verdicts",
        "check_contacts",
        "check_reports",
        "check_totals",
        "check_hours",
        "check_results",
    ):
        op.drop_table(table)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _NUMBER, nullable=False) for name in names]


def _create_results() -> None:
    op.create_table(
        "check_results",
        *_text("kind", "name", "region"),
        sa.Column("started_at", _TIME, nullable=False),
        *_numbers("arrival"),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        *_text("outcome", "reason", "detail", "measured", "trace_id"),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "region", "started_at", name="pk_check_results"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_results_arrival", "check_results", ["arrival"])


def _create_sums() -> None:
    op.create_table(
        "check_hours",
        *_text("kind", "name", "region"),
        sa.Column("start", _TIME, nullable=False),
        *_numbers("ok", "failed", "fault"),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "region", "start", name="pk_check_hours"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_hours_start", "check_hours", ["start"])
    op.create_table(
        "check_totals",
        *_text("kind", "name", "region"),
        sa.Column("start", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        *_numbers("ok", "failed", "fault"),
        sa.Column("seconds", sa.Double(), nullable=False),
        *_text("buckets"),
        sa.PrimaryKeyConstraint("kind", "name", "region", name="pk_check_totals"),
        sqlite_with_rowid=False,
    )


def _create_reports() -> None:
    op.create_table(
        "check_reports",
        *_text("region", "prober"),
        *_numbers("sequence"),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("region", "prober", "sequence", name="pk_check_reports"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_reports_received_at", "check_reports", ["received_at"])
    op.create_table(
        "check_contacts",
        *_text("region", "prober"),
        *_numbers("sequence"),
        sa.Column("reported_at", _TIME, nullable=False),
        *_numbers("buffered"),
        *_text("version"),
        *_numbers("arrival"),
        sa.PrimaryKeyConstraint("region", name="pk_check_contacts"),
    )


def _create_verdicts() -> None:
    op.create_table(
        "check_verdicts",
        *_text("kind", "name", "verdict"),
        sa.Column("since", _TIME, nullable=False),
        *_numbers("needed"),
        sa.Column("flapping", sa.Boolean(), nullable=False),
        *_text("regions"),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_check_verdicts"),
    )
