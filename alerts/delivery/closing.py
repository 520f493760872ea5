"""Whatever was opened outside is closed there when its incident is over, also where Alertmanager never says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.telling import message_of
from controlplane.ports import HeldLease, Store

GRACE: Final = timedelta(minutes=1)  # what is resolved is told anyway; this is for what was not told
AGAIN_AFTER: Final = timedelta(minutes=10)
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Closed:
    """How many outside objects were left open, and for how many of them a message was queued now."""

    left_open: int
    queued: int


class Closing:
    """Queues messages for objects that are still open though their incident is resolved: at most one in ten minutes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Closed:
        """Look for them. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            if not transaction.telling.left_open(1):
                return Closed(0, 0)
        reason = f"closing-{int(now.timestamp() // AGAIN_AFTER.total_seconds())}"
        with self._store.transaction(lease=lease) as transaction:
            objects, messages = transaction.telling.left_open(_MOST), []
            for outside in objects:
                incident = transaction.incidents.incident(outside.incident)
                if incident is None or incident.resolved_at is None or now - incident.resolved_at < GRACE:
                    continue
                messages.append(message_of(incident, outside.channel, reason=reason))
            return Closed(len(objects), transaction.outbox.enqueue_current(messages, now) if messages else 0)
