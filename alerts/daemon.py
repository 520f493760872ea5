"""Delivers what waits in the outbox, again and again until it arrives or is given up."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.ports import Notifier
from controlplane.model.outbox import EVERY_CHANNEL, Channels, DueMessage
from controlplane.ports import HeldLease, Permanent, Store, Transient

BATCH: Final = 20
HOLD: Final = timedelta(seconds=15)  # after a crash, what was being delivered is due again so soon
MAX_ATTEMPTS: Final = 12  # with the pauses below: given up after about four hours
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=30)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one turn did."""

    delivered: int
    retried: int
    given_up: int


class DeliveryDaemon:
    """Claims due messages, hands each to its channel's notifier and notes how it went.

    `random` gives numbers in [0, 1) and spreads the retries. `on_attempt(channel, outcome)` counts them. `channels`
    are those that are its business: what is slow must not hold up what is urgent.
    """

    def __init__(
        self,
        store: Store,
        notifiers: Iterable[Notifier],
        *,
        random: Callable[[], float],
        on_attempt: Callable[[str, str], None] = lambda channel, outcome: None,
        channels: Channels = EVERY_CHANNEL,
    ) -> None:
        self._store = store
        self._notifiers = {notifier.channel: notifier for notifier in notifiers}
        self._random = random
        self._on_attempt = on_attempt
        self._channels = channels

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Delivered:
        """Deliver what is due. A message counts as delivered only after its notifier returned: at least once.

        Raises `Transient` when the store can't be reached and `LeaseLost` when we lead no more.
        """
        counts = {"delivered": 0, "retried": 0, "given_up": 0}
        while due := self._claim(now, lease):
            for message in due:
                outcome = self._deliver(message, now, lease)
                counts[outcome] += 1
                self._on_attempt(message.message.channel, outcome)
        return Delivered(**counts)

    def _claim(self, now: datetime, lease: HeldLease | None) -> list[DueMessage]:
        with self._store.transaction(lease=lease) as transaction:
            return transaction.outbox.claim(BATCH, now, HOLD, self._channels)

    def _deliver(self, due: DueMessage, now: datetime, lease: HeldLease | None) -> str:
        failure = self._attempt(due)
        with self._store.transaction(lease=lease) as transaction:
            if failure is None:
                transaction.outbox.delivered(due.message.id, now)
                return "delivered"
            reason, final = failure
            give_up = final or due.attempts + 1 >= MAX_ATTEMPTS
            retry_at = None if give_up else now + pause(due.attempts, self._random())
            transaction.outbox.failed(due.message.id, reason, retry_at, now)
        fields = {"channel": due.message.channel, "id": due.message.id, "attempt": due.attempts + 1, "error": reason}
        log.warning("alerts.given_up" if give_up else "alerts.delivery_failed", extra=fields)
        return "given_up" if give_up else "retried"

    def _attempt(self, due: DueMessage) -> tuple[str, bool] | None:
        notifier = self._notifiers.get(due.message.channel)
        if notifier is None:
            return f"no notifier for channel {due.message.channel}", True
        try:
            notifier.notify(due.message)
        except Transient as error:
            return str(error), False
        except Permanent as error:
            return str(error), True
        return None


def pause(failed_attempts: int, chance: float) -> timedelta:
    """How long to wait after `failed_attempts` + 1 failures: doubling, at most half an hour, a random half of it."""
    longest: timedelta = min(FIRST_PAUSE * 2 ** min(failed_attempts, 20), LONGEST_PAUSE)
    return timedelta(seconds=longest.total_seconds() * (0.5 + chance / 2))
