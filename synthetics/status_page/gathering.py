"""What is known at one moment, read in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.conventions import EVENT_TIER_CHANGED
from controlplane.model.event import RecordedEvent
from controlplane.model.public_status import ComponentStatus
from controlplane.model.status_record import IncidentRecord, UpdateState
from controlplane.ports import Transaction
from synthetics.status_page.components import Known
from synthetics.status_page.maintenances import running
from synthetics.status_page.model import StatusPage

TIER_LOOK_BACK: Final = timedelta(days=92)
_SOON: Final = timedelta(seconds=1)
MeasuredSLOs = Callable[[datetime], frozenset[str] | None]
"""The names of SLOs that have data at a moment; None when that cannot be asked now."""


def known_at(
    page: StatusPage,
    transaction: Transaction,
    now: datetime,
    *,
    measured_slos: frozenset[str] | None = None,
    tells_slos: bool = False,
) -> Known:
    """Verdicts, alerts, the ladder's tier, maintenances, and what people said."""
    incidents = transaction.status.incidents(page.name, now)
    changes = transaction.events.between(now - TIER_LOOK_BACK, now + _SOON, (EVENT_TIER_CHANGED,))
    contacts = transaction.checks.contacts()
    return Known(
        verdicts={verdict.key: verdict for verdict in transaction.checks.verdicts()},
        alerts=[stored.alert for stored in transaction.alerts.firing()],
        heard_at=max((contact.reported_at for contact in contacts), default=None),
        measured_slos=measured_slos,
        tells_slos=tells_slos,
        running=running(incidents, now),
        said=said_by_people(page, transaction, incidents),
        tier=tier_of(changes),
    )


def said_by_people(
    page: StatusPage, transaction: Transaction, incidents: Sequence[IncidentRecord]
) -> Mapping[str, ComponentStatus]:
    """The status of each component by the latest published update of an open incident in which somebody set it."""
    open_ = [each for each in incidents if each.resolved_at is None and each.announced_at and not each.scheduled_for]
    updates = transaction.status.updates(page.name, [each.id for each in open_])
    public = [each for each in updates if each.state is UpdateState.PUBLISHED and each.sets_components]
    found: dict[str, ComponentStatus] = {}
    for update in sorted(public, key=lambda each: (each.published_at or each.created_at, each.number)):
        found |= {each.id: each.new for each in update.affected}
    return {id_: status for id_, status in found.items() if status is not ComponentStatus.OPERATIONAL}


def tier_of(changes: Sequence[RecordedEvent]) -> tuple[int, datetime] | None:
    """The ladder's tier by its latest change, and since when; None at full service."""
    found: tuple[int, datetime] | None = None
    for recorded in changes:
        data = recorded.event.data
        tier = _number(data.get("to", data.get("tier")))
        if tier is not None:
            found = (tier, recorded.event.occurred_at) if tier > 0 else None
    return found


def _number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3 else None
