"""Anomalies: models of series, the times at which something was unusual, what people said of them."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside what is there."""
    _create_models()
    _create_episodes()
    _create_feedback()


def downgrade() -> None:
    """Models can be fitted again; past anomalies and what people said of them are lost."""
    for table in ("anomaly_feedback", "anomaly_episodes", "anomaly_models"):
        op.drop_table(table)


def _text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _TIME, nullable=nullable) for name in names]


def _create_models() -> None:
    op.create_table(
        "anomaly_models",
        *_text("detector"),
        sa.Column("chunk", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("version", _NUMBER, nullable=False),
        *_text("digest"),
        *_times("fitted_at"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("detector", "chunk", name="pk_anomaly_models"),
    )
    if op.get_context().dialect.name == "postgresql":  # packed floats do not get smaller: no attempt at each write
        op.execute("ALTER TABLE anomaly_models ALTER COLUMN body SET STORAGE EXTERNAL")


def _create_episodes() -> None:
    table = "anomaly_episodes"
    op.create_table(
        table,
        *_text("id", "detector", "series"),
        sa.Column("labels", sa.JSON(), nullable=False),
        *_text("kind"),
        *_times("started_at"),
        *_times("ended_at", nullable=True),
        *_times("worst_at"),
        *_text("value", "expected", "lower", "upper", "score", nullable=True),
        *_text("explanation"),
        sa.PrimaryKeyConstraint("id", name="pk_anomaly_episodes"),
    )
    for columns in (["started_at"], ["detector", "started_at"], ["ended_at"]):
        op.create_index("_".join(["ix_anomaly_episodes", *columns]), table, columns)
    is_open = sa.text("ended_at IS NULL")
    columns = ["detector", "started_at"]
    op.create_index("ix_anomaly_episodes_open", table, columns, sqlite_where=is_open, postgresql_where=is_open)


def _create_feedback() -> None:
    table = "anomaly_feedback"
    op.create_table(
        table,
        *_text("id", "detector", "series"),
        *_times("start_at", "end_at"),
        *_text("verdict"),
        sa.Column("is_learnt", sa.Boolean(), nullable=False),
        *_text("actor"),
        *_times("said_at"),
        *_text("note"),
        sa.PrimaryKeyConstraint("id", name="pk_anomaly_feedback"),
    )
    for columns in (["detector", "end_at"], ["end_at"], ["said_at"]):
        op.create_index("_".join(["ix_anomaly_feedback", *columns]), table, columns)
