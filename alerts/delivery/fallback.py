"""A critical page that its channel does not deliver in time takes the next one."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.delivery.accounts import told_line
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, Receiver
from alerts.telling import message_of
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, Incident, IncidentState, Priority
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import HeldLease, Store, Transaction

PATIENCE: Final = timedelta(seconds=30)  # then the next channel; with its own delivery it is less than a minute
FALLBACK: Final = "fallback"
_MOST_OVERDUE: Final = 5000
_MOST_REMEMBERED: Final = 20_000
_AGAIN_AFTER: Final = timedelta(minutes=1)  # an acknowledgement may have lapsed meanwhile
_LEAST_URGENT: Final = max(each.rank for each in Priority if each.is_critical)


@dataclass(frozen=True, slots=True)
class TookOtherWays:
    """Pages that took another way in this turn."""

    pages: int


class Fallbacks:
    """Looks for critical pages that wait too long or were given up, and queues them for the next channel.

    What was decided is decided by what the store says; that a page was looked at is remembered only to spare work.
    """

    def __init__(self, store: Store, declared: Callable[[], AlertsDeclared]) -> None:
        self._store = store
        self._declared = declared
        self._seen: OrderedDict[tuple[str, str, int], datetime] = OrderedDict()

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> TookOtherWays:
        """Queue what is overdue elsewhere. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            late = transaction.outbox.overdue(now - PATIENCE, _LEAST_URGENT, _MOST_OVERDUE)
        fresh = [due.message for due in late if not self._is_fresh_in_mind(due.message, now)]
        if not fresh:
            return TookOtherWays(0)
        with self._store.transaction(lease=lease) as transaction:
            pages = sum(bool(other_ways(transaction, message, self._declared(), now)) for message in fresh)
        for message in fresh:
            self._seen[_mark(message)] = now
            self._seen.move_to_end(_mark(message))
        while len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return TookOtherWays(pages)

    def _is_fresh_in_mind(self, message: OutboxMessage, now: datetime) -> bool:
        seen_at = self._seen.get(_mark(message))
        return seen_at is not None and timedelta(0) <= now - seen_at < _AGAIN_AFTER


def other_ways(
    transaction: Transaction, message: OutboxMessage, declared: AlertsDeclared, now: datetime
) -> list[Channel]:
    """Queue the page of a message that its channel does not deliver for the next channels; those.

    None when it is no page that still wakes somebody up: it is not critical, somebody has it, the channel has shown it
    before, or nothing comes after that channel.
    """
    incident = transaction.incidents.incident(str(message.payload.get("incident", "")))
    if incident is None or incident.state is not IncidentState.OPEN or not incident.priority.is_critical:
        return []
    shown = transaction.telling.object_of(incident.id, message.channel)
    if shown is not None and shown.told_version:
        return []
    receivers = filter(None, map(declared.receiver, _receivers(transaction, incident)))
    channels = {each.name: each for each in next_channels(receivers, message.channel, incident.priority)}
    taken = [each for each in channels.values() if _queue(transaction, incident, each, now)]
    if taken:
        _write_down(transaction, incident, message, taken, now)
    return taken


def next_channels(receivers: Iterable[Receiver], channel: str, priority: Priority) -> Iterator[Channel]:
    """For each receiver that has the channel: what comes after it, the first that takes this priority."""
    for receiver in receivers:
        names = [each.name for each in receiver.fallback]
        if channel in names:
            rest = receiver.fallback[names.index(channel) + 1 :]
        elif any(each.name == channel for each in receiver.channels):
            rest = receiver.fallback
        else:
            continue
        found = next((each for each in rest if priority in each.priorities), None)
        if found is not None:
            yield found


def _receivers(transaction: Transaction, incident: Incident) -> list[str]:
    """Who is told of the incident: by routes, and by steps of its escalation that fired."""
    told = (name for step in transaction.incidents.steps_of(incident.id) for name in step.told)
    return list(dict.fromkeys([*incident.receivers, *told]))


def _queue(transaction: Transaction, incident: Incident, channel: Channel, now: datetime) -> bool:
    """Whether it was queued now; who shows the incident already was told, and hears its news."""
    if transaction.telling.object_of(incident.id, channel.name) is not None:
        return False
    return transaction.outbox.enqueue_current([message_of(incident, channel.name, reason=FALLBACK)], now) > 0


def _write_down(
    transaction: Transaction, incident: Incident, message: OutboxMessage, taken: Iterable[Channel], now: datetime
) -> None:
    names = ", ".join(each.name for each in taken)
    attempt = DeliveryAttempt(message.id, message.channel, incident.id, now, AttemptOutcome.OTHER_WAY, f"by {names}")
    transaction.telling.attempted([attempt])
    text = f"{message.channel} did not take the page: it goes to {names}"
    transaction.incidents.note([told_line(f"other-way:{message.id}", incident.id, text, now)], now)


def _mark(message: OutboxMessage) -> tuple[str, str, int]:
    """A page whose incident became more urgent is looked at again."""
    return message.id, message.channel, message.urgency
