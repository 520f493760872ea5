"""Records of incidents as rows, and back."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from controlplane.model.incident import (
    DueStep,
    Incident,
    IncidentState,
    Origin,
    PriceTag,
    Priority,
    Suspect,
    TimelineEntry,
    TimelineKind,
)
from controlplane.store.plain_rows import Row, number, plain, stamp


def incident_row(incident: Incident) -> Row:
    """An incident for its table."""
    return plain(incident) | {
        "priority": incident.priority.value,
        "state": incident.state.value,
        "origin": incident.origin.value,
        "routes": list(incident.routes),
        "receivers": list(incident.receivers),
        "price": None if incident.price is None else _price(incident.price),
        "suspects": [_suspect(each) for each in incident.suspects],
    }


def incident_of(row: RowMapping) -> Incident:
    """An incident from its table."""
    values = dict(row) | {
        "priority": Priority(row["priority"]),
        "state": IncidentState(row["state"]),
        "origin": Origin(row["origin"]),
        "routes": tuple(row["routes"]),
        "receivers": tuple(row["receivers"]),
        "price": None if row["price"] is None else _price_of(row["price"]),
        "suspects": tuple(_suspect_of(each) for each in row["suspects"]),
    }
    return Incident(**values)


def entry_row(entry: TimelineEntry, recorded_at: datetime) -> Row:
    """A line of a timeline for its table, but for its number."""
    return plain(entry) | {"kind": entry.kind.value, "recorded_at": recorded_at}


def entry_of(row: RowMapping) -> TimelineEntry:
    """A line of a timeline from its table."""
    kind = TimelineKind(row["kind"])
    return TimelineEntry(row["id"], row["incident"], row["at"], kind, row["text"], row["actor"], row["data"])


def step_row(step: DueStep) -> Row:
    """A step of an escalation for its table."""
    return plain(step) | {"targets": list(step.targets), "told": list(step.told)}


def step_of(row: RowMapping) -> DueStep:
    """A step of an escalation from its table."""
    return DueStep(**dict(row) | {"targets": tuple(row["targets"]), "told": tuple(row["told"])})


def _price(price: PriceTag) -> Row:
    failed = price.failed_operations
    return {
        "as_of": stamp(price.as_of),
        "budget_burned": [[slo, number(share)] for slo, share in price.budget_burned],
        "extra_spend": [[budget, number(amount), currency] for budget, amount, currency in price.extra_spend],
        "failed_operations": None if failed is None else number(failed),
        "note": price.note,
    }


def _price_of(written: Mapping[str, Any]) -> PriceTag:
    failed = written["failed_operations"]
    return PriceTag(
        as_of=datetime.fromisoformat(written["as_of"]),
        budget_burned=tuple((slo, Decimal(share)) for slo, share in written["budget_burned"]),
        extra_spend=tuple((budget, Decimal(amount), currency) for budget, amount, currency in written["extra_spend"]),
        failed_operations=None if failed is None else Decimal(failed),
        note=written["note"],
    )


def _suspect(suspect: Suspect) -> Row:
    return plain(suspect) | {
        "at": stamp(suspect.at),
        "score": number(suspect.score),
        "reasons": list(suspect.reasons),
    }


def _suspect_of(written: Mapping[str, Any]) -> Suspect:
    at, score = datetime.fromisoformat(written["at"]), Decimal(written["score"])
    return Suspect(at, written["kind"], written["subject"], written["text"], score, tuple(written["reasons"]))
