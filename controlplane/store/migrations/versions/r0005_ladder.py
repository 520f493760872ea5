"""Downshift ladders: where they stand, each step, approvals, holds, orders, savings."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside what is there, which stays as it is."""
    _create_states()
    _create_steps()
    _create_approvals()
    _create_orders()
    _create_receipts()


def downgrade() -> None:
    """Where ladders stand is forgotten: flags of tiers in force stay as they are, and nobody puts them back."""
    for table in (
        "ladder_receipts",
        "ladder_orders",
        "ladder_holds",
        "ladder_approvals",
        "ladder_steps",
        "ladder_states",
    ):
        op.drop_table(table)


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _TIME, nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, _NUMBER, nullable=nullable) for name in names]


def _create_states() -> None:
    op.create_table(
        "ladder_states",
        *_text("ladder"),
        sa.Column("applied", sa.JSON(), nullable=False),
        sa.Column("counters", sa.JSON(), nullable=False),
        *_times("updated_at"),
        *_text("store"),
        sa.Column("theirs", sa.JSON()),
        sa.Column("told", sa.JSON()),
        sa.PrimaryKeyConstraint("ladder", name="pk_ladder_states"),
    )


def _create_steps() -> None:
    op.create_table(
        "ladder_steps",
        *_text("id"),
        *_numbers("number"),
        *_text("ladder", "store"),
        *_numbers("from_tier", "to_tier"),
        *_text("cause", "reason", "actor"),
        *_times("decided_at"),
        *_text("phase"),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("journeys", sa.JSON(), nullable=False),
        *_text("approval", "order_id"),
        *_times("written_at", "visible_at", "verified_at", "ended_at", nullable=True),
        *_text("outcome", nullable=True),
        *_text("undo_as", "detail"),
        *_numbers("attempts"),
        sa.PrimaryKeyConstraint("id", name="pk_ladder_steps"),
    )
    op.create_index("ix_ladder_steps_ladder_decided_at", "ladder_steps", ["ladder", "decided_at"])
    not_ended = sa.text("phase <> 'ended'")
    op.create_index(
        "uq_ladder_steps_open",
        "ladder_steps",
        ["ladder"],
        unique=True,
        sqlite_where=not_ended,
        postgresql_where=not_ended,
    )


def _create_approvals() -> None:
    op.create_table(
        "ladder_approvals",
        *_text("id"),
        *_numbers("number"),
        *_text("ladder"),
        *_numbers("tier"),
        *_text("scope", "actor", "why"),
        *_times("at", "until"),
        *_text("used_by"),
        *_times("withdrawn_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ladder_approvals"),
    )
    op.create_index("ix_ladder_approvals_ladder_until", "ladder_approvals", ["ladder", "until"])
    op.create_table(
        "ladder_holds",
        *_text("ladder", "actor", "why"),
        *_times("since"),
        *_times("until", nullable=True),
        sa.PrimaryKeyConstraint("ladder", name="pk_ladder_holds"),
    )


def _create_orders() -> None:
    op.create_table(
        "ladder_orders",
        *_text("id"),
        *_numbers("number"),
        *_text("ladder", "kind"),
        *_numbers("argument", nullable=True),
        *_text("actor", "why"),
        *_times("at"),
        *_times("begun_at", "done_at", nullable=True),
        sa.Column("is_done_well", sa.Boolean()),
        *_text("result"),
        sa.Column("progress", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_ladder_orders"),
    )
    op.create_index("ix_ladder_orders_ladder_done_at", "ladder_orders", ["ladder", "done_at"])


def _create_receipts() -> None:
    op.create_table(
        "ladder_receipts",
        *_text("step"),
        *_numbers("tier"),
        *_text("ladder", "currency", "predicted"),
        *_times("since"),
        *_times("until", nullable=True),
        *_text("realised", "low", "high", "saved", nullable=True),
        *_times("measured_at", nullable=True),
        *_text("note"),
        *_text("remaining", nullable=True),
        sa.PrimaryKeyConstraint("step", "tier", name="pk_ladder_receipts"),
    )
    op.create_index("ix_ladder_receipts_ladder_since", "ladder_receipts", ["ladder", "since"])
