"""Queues what must be told of an incident: not a text, but that there is news. The text is made when it leaves."""

from collections.abc import Iterable
from datetime import datetime

from alerts.routing.model import Channel
from controlplane.model.incident import Incident
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Transaction


def tell(transaction: Transaction, incident: Incident, channels: Iterable[Channel], now: datetime) -> int:
    """Queue the incident's current version for each channel; how many were queued.

    Where news of it waits for a channel already, that suffices: what is delivered is the state at that time. So a
    storm leaves one message per incident and channel behind, however long a provider is away.
    """
    messages = [message_of(incident, channel.name) for channel in channels]
    return transaction.outbox.enqueue_current(messages, now)


def message_of(incident: Incident, channel: str, *, reason: str = "") -> OutboxMessage:
    """The message for one channel; `reason` tells apart what has the same version, such as `fallback`."""
    suffix = f":{reason}" if reason else ""
    return OutboxMessage(
        id=f"{channel}:{incident.id}:{incident.version}{suffix}",
        channel=channel,
        key=incident.id,
        payload={"incident": incident.id, "version": incident.version, "reason": reason},
        urgency=incident.priority.rank,
    )
