"""All that is known of one incident, as a person wants to see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.incidents.snapshots import snapshot
from alerts.model import AlertsDeclared, Snapshot
from controlplane.model.incident import DeliveryAttempt, DueStep, Incident, OutsideObject
from controlplane.ports import Transaction

MOST_ATTEMPTS: Final = 100
MOST_EARLIER: Final = 10


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """The incident as it is now, its escalation, where it is shown, how telling went, and earlier ones of its key."""

    seen: Snapshot
    steps: tuple[DueStep, ...]
    outside: tuple[OutsideObject, ...]
    attempts: tuple[DeliveryAttempt, ...]
    earlier: tuple[Incident, ...]  # latest first


def read_page(
    transaction: Transaction, incident: Incident, declared: AlertsDeclared, console_url: str, at: datetime
) -> IncidentPage:
    """Read it in one transaction, so that all of it is of one moment."""
    found = transaction.incidents.of_key(incident.key, MOST_EARLIER + 1)
    return IncidentPage(
        seen=snapshot(transaction, incident, declared, console_url, at),
        steps=tuple(transaction.incidents.steps_of(incident.id)),
        outside=tuple(transaction.telling.objects_of(incident.id)),
        attempts=tuple(transaction.telling.attempts_of(incident.id, MOST_ATTEMPTS)),
        earlier=tuple(each for each in found if each.number < incident.number)[:MOST_EARLIER],
    )
