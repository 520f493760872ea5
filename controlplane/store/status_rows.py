"""Records of status pages as rows, and back."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from controlplane.model.public_status import AffectedComponent, ComponentStatus, Correction, Impact, IncidentStatus
from controlplane.model.status_record import (
    Channel,
    CorrectionRecord,
    IncidentRecord,
    Origin,
    Subscriber,
    SubscriberState,
    UpdateEdit,
    UpdateRecord,
    UpdateState,
)

Row = dict[str, Any]


def incident_row(record: IncidentRecord) -> Row:
    """An incident for its table."""
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    return row | {
        "origin": record.origin.value,
        "status": record.status.value,
        "impact": record.impact.value,
        "component_ids": list(record.component_ids),
        "expects": record.expects.value,
    }


def incident_of(row: RowMapping) -> IncidentRecord:
    """An incident from its table."""
    values = dict(row) | {
        "origin": Origin(row["origin"]),
        "status": IncidentStatus(row["status"]),
        "impact": Impact(row["impact"]),
        "component_ids": tuple(row["component_ids"]),
        "expects": ComponentStatus(row["expects"]),
    }
    return IncidentRecord(**values)


def update_row(record: UpdateRecord) -> Row:
    """An update for its table."""
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    within = row.pop("next_within")
    return row | {
        "status": record.status.value,
        "state": record.state.value,
        "affected": [[one.id, one.name, one.old.value, one.new.value] for one in record.affected],
        "next_within_seconds": None if within is None else within // timedelta(seconds=1),
    }


def update_of(row: RowMapping) -> UpdateRecord:
    """An update from its table."""
    values = dict(row)
    within = values.pop("next_within_seconds")
    return UpdateRecord(
        **values
        | {
            "status": IncidentStatus(row["status"]),
            "state": UpdateState(row["state"]),
            "affected": tuple(
                AffectedComponent(id_, name, ComponentStatus(old), ComponentStatus(new))
                for id_, name, old, new in row["affected"]
            ),
            "next_within": None if within is None else timedelta(seconds=within),
        }
    )


def edit_of(row: RowMapping) -> UpdateEdit:
    """What an update said before."""
    return UpdateEdit(row["update_id"], row["revision"], row["body"], row["replaced_at"], row["replaced_by"])


def correction_row(record: CorrectionRecord) -> Row:
    """A correction for its table."""
    return {
        "page": record.page,
        "id": record.id,
        "component": record.component,
        "start": record.correction.start,
        "until": record.correction.end,
        "status": record.correction.status.value,
        "reason": record.correction.reason,
        "declared_at": record.correction.declared_at,
        "declared_by": record.by,
        "from_file": record.from_file,
        "withdrawn_at": record.withdrawn_at,
    }


def correction_of(row: RowMapping) -> CorrectionRecord:
    """A correction from its table."""
    status = ComponentStatus(row["status"])
    correction = Correction(row["start"], row["until"], status, row["reason"], row["declared_at"])
    return CorrectionRecord(
        row["page"], row["id"], row["component"], correction, row["declared_by"], row["from_file"], row["withdrawn_at"]
    )


def subscriber_row(record: Subscriber) -> Row:
    """A subscriber for its table."""
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    return row | {"channel": record.channel.value, "state": record.state.value}


def subscriber_of(row: RowMapping) -> Subscriber:
    """A subscriber from its table."""
    values = dict(row) | {"channel": Channel(row["channel"]), "state": SubscriberState(row["state"])}
    return Subscriber(**values)
