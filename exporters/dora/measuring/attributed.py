"""Tells the others which deployment an incident is held against, when that is found or found otherwise."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from controlplane import delivery_names as names
from controlplane.model.event import Event
from exporters.dora.reckoning.judging import JudgedIncident, Reckoning
from exporters.dora.sheets.columns import Rows, hashed
from exporters.dora.sheets.filling import REASONS

TOLD_WITHIN: Final = timedelta(days=14)  # of an incident's start: nobody follows older ones, and histories are long
_OURS: Final = f"{names.SOURCE_INCIDENTS}#"


def events_of(reckoned: Reckoning, told: Rows, now: datetime) -> Iterator[Event]:
    """One for each incident whose attribution is not what was told (the sheet before); none for a first `none`."""
    before = {int(row["incident"]): (int(row["deployment"]), int(row["reason"])) for row in told}
    for one in reckoned.incidents:
        attribution = one.attribution
        held = hashed(attribution.deployment) if attribution.deployment else 0
        known = before.get(hashed(one.incident.id))
        is_news = known != (held, REASONS.index(attribution.reason)) if known else bool(held)
        if is_news and now - one.incident.started_at <= TOLD_WITHIN:
            yield _event(one, now)


def _event(one: JudgedIncident, now: datetime) -> Event:
    attribution, incident = one.attribution, one.incident
    return Event(
        id=f"{names.EVENT_ATTRIBUTED}:{incident.id}:{now.isoformat()}",
        kind=names.EVENT_ATTRIBUTED,
        subject=incident.id.removeprefix(_OURS),
        occurred_at=now,
        data={
            "incident": incident.id,
            "deployment": attribution.deployment,
            "reason": attribution.reason.value,
            "text": attribution.text,
            "service": incident.service,
            "environment": incident.environment,
        },
    )
