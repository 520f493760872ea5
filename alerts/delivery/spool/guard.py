"""A database that hangs is not asked for every delivery: else pages would wait in line for it, one after the other."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from alerts.intake import Received
from controlplane.model.alert import AlertNotification
from controlplane.ports import Transient

SLOW: Final = timedelta(seconds=1)  # a refusal that comes sooner holds nobody up
REST: Final = timedelta(seconds=3)


class GuardedIntake:
    """An intake that fails at once for a while after it failed slowly, so that what comes then goes to the spool."""

    def __init__(self, receive: Callable[[AlertNotification, datetime], Received], now: Callable[[], datetime]) -> None:
        self._receive = receive
        self._now = now
        self._rests_until: datetime | None = None

    def receive(self, notification: AlertNotification, now: datetime) -> Received:
        """As the intake does it. Raises `Transient` without asking the store while that is known not to answer."""
        began = self._now()
        if self._rests_until is not None and began < self._rests_until <= began + REST:
            raise Transient("the database did not answer a moment ago")
        try:
            received = self._receive(notification, now)
        except Transient:
            ended = self._now()
            self._rests_until = ended + REST if ended - began >= SLOW else None
            raise
        self._rests_until = None
        return received
