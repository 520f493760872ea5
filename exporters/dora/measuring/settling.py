"""When a day is measured: after what came in together has arrived.

A counter counts a thing once, as it looks at that moment. A deployment that comes a second after the incident that it
caused would leave that incident counted as nobody's for ever; so days wait for a pause in what comes in, though not for
long.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.ports import Store

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

PAUSE: Final = timedelta(seconds=10)  # without a new event: pipelines and webhooks of one release come within seconds
LONGEST: Final = timedelta(minutes=1)  # what is busy all day is measured all the same


class Settling:
    """Asked at every turn of the daemon that measures. `behind` counts events that no fact was made of yet."""

    def __init__(self, store: Store, behind: "Callable[[DeliveryLog], int]") -> None:
        self._store = store
        self._behind = behind
        self._waits_since: datetime | None = None

    def is_settled(self, now: datetime) -> bool:
        """Whether to measure now. Raises what the store raises."""
        if self._is_quiet(now):
            self._waits_since = None
            return True
        self._waits_since = self._waits_since or now
        if timedelta(0) <= now - self._waits_since < LONGEST:
            return False
        self._waits_since = None
        return True

    def _is_quiet(self, now: datetime) -> bool:
        with self._store.transaction(read_only=True) as transaction:
            log = transaction.delivery
            if self._behind(log):
                return False
            newest = log.events_after(log.last_sequence() - 1, 1)
        return not newest or not timedelta(0) <= now - newest[-1].received_at < PAUSE
