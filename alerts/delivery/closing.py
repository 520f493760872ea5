"""Whatever was opened outside is closed there when its incident is over, also where Alertmanager never says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.model import AlertsDeclared
from alerts.telling import message_of
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import HeldLease, Store, Transaction

GRACE: Final = timedelta(minutes=1)  # what is resolved is told anyway; this is for what was not told
_MINUTES: Final = timedelta(minutes=10)
_PAUSES: Final = (  # since the incident was over → how often it is told again
    (timedelta(hours=1), _MINUTES),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=30), timedelta(days=1)),
)
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Closed:
    """How many outside objects were left open, and for how many of them a message was queued now."""

    left_open: int
    queued: int


class Closing:
    """Queues messages for objects that are still open though their incident is resolved: for a month, more and more

    seldom. One whose channel is declared no more can be closed by nobody; it is when the channel is declared again.
    """

    def __init__(self, store: Store, declared: Callable[[], AlertsDeclared] | None = None) -> None:
        self._store = store
        self._declared = declared

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Closed:
        """Look for them. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            if not transaction.telling.left_open(1):
                return Closed(0, 0)
        with self._store.transaction(lease=lease) as transaction:
            left, messages = self._messages(transaction, now)
            return Closed(left, transaction.outbox.enqueue_current(messages, now) if messages else 0)

    def _messages(self, transaction: Transaction, now: datetime) -> tuple[int, list[OutboxMessage]]:
        known = {each.name for each in self._declared().channels()} if self._declared else None
        objects, messages = transaction.telling.left_open(_MOST), list[OutboxMessage]()
        for outside in objects:
            incident = transaction.incidents.incident(outside.incident)
            if incident is None or incident.resolved_at is None or (known is not None and outside.channel not in known):
                continue
            since = now - incident.resolved_at
            pause = next((pause for length, pause in _PAUSES if since < length), None)
            if pause is not None and since >= GRACE:
                reason = f"closing-{since // pause}-of-{pause // _MINUTES}"
                messages.append(message_of(incident, outside.channel, reason=reason))
        return len(objects), messages
