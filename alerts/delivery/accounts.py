"""What is written down of deliveries: attempts for `flyball alerts why`, lines of timelines for everybody."""

from datetime import datetime
from typing import Final

from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, TimelineEntry, TimelineKind
from controlplane.model.outbox import DueMessage
from controlplane.ports import Transaction

_ALL_KEPT: Final = 6  # of a message's attempts the first so many are written down, then every 2nd, 4th, 8th, …
_LONGEST_DETAIL: Final = 500


def write_down(
    transaction: Transaction, due: DueMessage, outcome: AttemptOutcome, now: datetime, detail: str = ""
) -> None:
    """Keep the attempt, and tell the timeline what people want to know: that somebody was told, or could not be."""
    incident, number = incident_of(due), due.attempts + 1
    if outcome is AttemptOutcome.RETRIED and number > _ALL_KEPT and number & (number - 1):
        return
    message = due.message
    attempt = DeliveryAttempt(message.id, message.channel, incident, now, outcome, detail[:_LONGEST_DETAIL], number)
    transaction.telling.attempted([attempt])
    if not incident:
        return
    if outcome is AttemptOutcome.DELIVERED:
        line = told_line(f"told:{message.channel}", incident, f"{message.channel} was told", now)
        transaction.incidents.note([line], now)
    if outcome is AttemptOutcome.GIVEN_UP:
        text = f"{message.channel} could not be told: {detail[:_LONGEST_DETAIL]}"
        transaction.incidents.note([told_line(f"given-up:{message.id}", incident, text, now)], now)


def told_line(entry: str, incident: str, text: str, at: datetime) -> TimelineEntry:
    """A line about who was told; writing the same `entry` again changes nothing."""
    return TimelineEntry(entry, incident, at, TimelineKind.TOLD, text)


def incident_of(due: DueMessage) -> str:
    """The incident that it is about; empty where it is about none."""
    incident = due.message.payload.get("incident", "")
    return incident if isinstance(incident, str) else ""
