"""What pages say of deliveries, beyond what the terminal says."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

from controlplane.model.delivery import DeliveryEvent
from exporters.dora.reckoning.judging import JudgedIncident
from exporters.dora.report.missing import HOW_TO_BEGIN, reasons
from exporters.dora.report.numbers import brief
from exporters.dora.report.single_views import (
    attribution_words,
    change_words,
    effect_words,
    lead_time,
    outcome_words,
    stage_words,
)
from exporters.dora.report.telling import behind_text

__all__ = [
    "HOW_TO_BEGIN",
    "attribution_words",
    "behind_text",
    "change_words",
    "effect_words",
    "event_query",
    "incident_name",
    "lasted",
    "lead_time",
    "length",
    "outcome_words",
    "reasons",
    "short_id",
    "stage_words",
]


def length(it: timedelta | None) -> str:
    """In one unit; `unknown` for None."""
    return "unknown" if it is None else brief(Decimal(str(it.total_seconds())))


def lasted(each: JudgedIncident) -> str:
    """How long an incident went on."""
    return "goes on" if each.incident.resolved_at is None else length(each.restore_time)


def incident_name(each: JudgedIncident) -> str:
    """Its name, else the end of its id."""
    return each.incident.name or short_id(each.incident.id)


def short_id(id_: str) -> str:
    """The end of an id, after its source."""
    return id_.rpartition("#")[2] or id_


def event_query(it: DeliveryEvent) -> str:
    """The query of an event's own page."""
    return urlencode({"source": it.source, "id": it.id})
