"""Incidents, what was told of them, what follows them, access tokens; urgency of messages."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Beside what is there; messages that are queued become the least urgent ones."""
    _extend_outbox()
    _create_incidents()
    _create_members_and_timeline()
    _create_escalation()
    _create_telling()
    _create_actions_and_tickets()
    _create_runs()
    _create_access()


def downgrade() -> None:
    """What is known of incidents is lost: what was opened outside stays open there, and nobody closes it."""
    for table in (
        "access_tokens",
        "runbook_runs",
        "tickets",
        "incident_actions",
        "alert_receipts",
        "delivery_attempts",
        "outside_objects",
        "event_cursors",
        "escalation_steps",
        "incident_timeline",
        "incident_alerts",
        "incidents",
    ):
        op.drop_table(table)
    op.drop_index("ix_outbox_state_channel_urgency_sequence", "outbox")
    op.drop_column("outbox", "open_claims")
    op.drop_column("outbox", "urgency")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _times(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _TIME, nullable=nullable) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _NUMBER, nullable=False) for name in names]


def _json(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.JSON(), nullable=False) for name in names]


def _extend_outbox() -> None:
    op.add_column("outbox", sa.Column("urgency", _NUMBER, nullable=False, server_default="4"))
    op.add_column("outbox", sa.Column("open_claims", _NUMBER, nullable=False, server_default="0"))
    op.execute("UPDATE outbox SET open_claims = 1 WHERE claimed_until IS NOT NULL")
    columns = ["state", "channel", "urgency", "sequence"]
    op.create_index("ix_outbox_state_channel_urgency_sequence", "outbox", columns)


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        *_text("id"),
        *_numbers("number"),
        *_text("key", "title", "priority", "state", "origin"),
        *_times("started_at", "opened_at", "updated_at"),
        *_numbers("version"),
        *_text("service", "summary", "policy"),
        *_json("routes", "receivers", "labels", "roles"),
        *_times("acknowledged_at", nullable=True),
        *_text("acknowledged_by"),
        *_times("resolved_at", nullable=True),
        *_text("resolved_by", "resolution"),
        *_times("quiet_since", nullable=True),
        *_text("repeats"),
        sa.Column("price", sa.JSON()),
        *_json("suspects"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("number", name="uq_incidents_number"),
    )
    is_open = sa.text("state <> 'resolved'")
    op.create_index(
        "uq_incidents_open_key",
        "incidents",
        ["key"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_incidents_key_opened_at", "incidents", ["key", "opened_at"])
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_index("ix_incidents_resolved_at", "incidents", ["resolved_at"])


def _create_members_and_timeline() -> None:
    op.create_table(
        "incident_alerts",
        *_text("fingerprint"),
        *_times("starts_at"),
        *_text("incident"),
        *_times("joined_at"),
        *_times("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", "starts_at", name="pk_incident_alerts"),
    )
    op.create_index("ix_incident_alerts_incident_ended_at", "incident_alerts", ["incident", "ended_at"])
    op.create_table(
        "incident_timeline",
        sa.Column("sequence", _NUMBER, sa.Identity(always=True), nullable=False),
        *_text("id", "incident"),
        *_times("at", "recorded_at"),
        *_text("kind", "text", "actor"),
        *_json("data"),
        sa.PrimaryKeyConstraint("sequence", name="pk_incident_timeline"),
        sa.UniqueConstraint("incident", "id", name="uq_incident_timeline_incident_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_timeline_incident_at_sequence", "incident_timeline", ["incident", "at", "sequence"])


def _create_escalation() -> None:
    op.create_table(
        "escalation_steps",
        *_text("incident", "policy"),
        *_numbers("round", "step"),
        *_times("due_at"),
        *_json("targets"),
        *_times("fired_at", "cancelled_at", nullable=True),
        *_json("told"),
        sa.PrimaryKeyConstraint("incident", "policy", "round", "step", name="pk_escalation_steps"),
    )
    waits = sa.text("fired_at IS NULL AND cancelled_at IS NULL")
    op.create_index(
        "ix_escalation_steps_waiting",
        "escalation_steps",
        ["due_at"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_table(
        "event_cursors",
        *_text("name"),
        *_numbers("sequence"),
        sa.PrimaryKeyConstraint("name", name="pk_event_cursors"),
    )


def _create_telling() -> None:
    op.create_table(
        "outside_objects",
        *_text("incident", "channel", "outside_id"),
        *_times("opened_at", "updated_at"),
        *_text("place", "url"),
        *_numbers("told_version"),
        *_times("closed_at", nullable=True),
        *_json("data"),
        sa.PrimaryKeyConstraint("incident", "channel", name="pk_outside_objects"),
    )
    op.create_index("ix_outside_objects_outside_id", "outside_objects", ["outside_id"])
    op.create_index("ix_outside_objects_closed_at_opened_at", "outside_objects", ["closed_at", "opened_at"])
    op.create_table(
        "delivery_attempts",
        sa.Column("sequence", _NUMBER, sa.Identity(always=True), nullable=False),
        *_text("message", "channel", "incident"),
        *_times("at"),
        *_text("outcome", "detail"),
        *_numbers("attempt"),
        sa.PrimaryKeyConstraint("sequence", name="pk_delivery_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_attempts_incident_at", "delivery_attempts", ["incident", "at"])
    op.create_index("ix_delivery_attempts_at", "delivery_attempts", ["at"])
    op.create_table(
        "alert_receipts",
        *_text("fingerprint"),
        *_times("starts_at"),
        *_text("route", "group_key"),
        *_times("first_at", "last_at"),
        *_numbers("deliveries"),
        sa.PrimaryKeyConstraint("fingerprint", "starts_at", "route", name="pk_alert_receipts"),
    )
    op.create_index("ix_alert_receipts_last_at", "alert_receipts", ["last_at"])


def _create_actions_and_tickets() -> None:
    op.create_table(
        "incident_actions",
        *_text("id", "incident", "title", "owner"),
        sa.Column("due", sa.Date(), nullable=False),
        *_times("created_at"),
        *_text("created_by", "state"),
        *_times("ended_at", nullable=True),
        *_text("ended_by", "why"),
        *_times("reported_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_incident_actions"),
    )
    op.create_index("ix_incident_actions_incident", "incident_actions", ["incident"])
    op.create_index("ix_incident_actions_state_due", "incident_actions", ["state", "due"])
    op.create_table(
        "tickets",
        *_text("key", "tracker", "title", "body"),
        *_json("labels"),
        *_times("created_at", "updated_at"),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        *_text("cause", "outside_id", "url"),
        *_numbers("wanted_version", "told_version"),
        *_json("data"),
        sa.PrimaryKeyConstraint("key", name="pk_tickets"),
    )
    op.create_index("ix_tickets_created_at", "tickets", ["created_at"])


def _create_runs() -> None:
    op.create_table(
        "runbook_runs",
        *_text("id", "runbook", "incident", "actor"),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        *_text("state"),
        *_times("created_at", "updated_at"),
        *_numbers("next_step"),
        *_json("results"),
        *_text("steps_hash", "why"),
        sa.PrimaryKeyConstraint("id", name="pk_runbook_runs"),
    )
    op.create_index("ix_runbook_runs_incident_created_at", "runbook_runs", ["incident", "created_at"])
    op.create_index("ix_runbook_runs_runbook_created_at", "runbook_runs", ["runbook", "created_at"])
    op.create_index("ix_runbook_runs_created_at", "runbook_runs", ["created_at"])


def _create_access() -> None:
    op.create_table(
        "access_tokens",
        *_text("name", "role", "digest"),
        *_times("created_at"),
        *_text("created_by"),
        *_times("expires_at", "revoked_at", "last_used_at", nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
