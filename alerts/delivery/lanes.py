"""One lane: the messages of one channel leave in order of urgency, as fast as its provider takes them."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from alerts.delivery.accounts import incident_of, write_down
from alerts.delivery.fallback import other_ways
from alerts.delivery.rates import LONGEST_HOLD, NoRoom, Rate
from alerts.model import AlertsDeclared
from alerts.ports import Notifier, RateLimited
from alerts.routing.model import Channel
from controlplane.model.incident import AttemptOutcome, Priority
from controlplane.model.outbox import Channels, DueMessage
from controlplane.ports import HeldLease, LeaseLost, Permanent, Store, Transaction, Transient

BATCH: Final = 10
HOLD: Final = timedelta(seconds=20)  # after a crash, what was being delivered is due again so soon
PUT_BACK_AFTER: Final = timedelta(seconds=1)  # of a batch whose turn lasts longer the rest waits for what is urgent
GIVE_UP_AFTER: Final = timedelta(hours=24)
FIRST_PAUSE: Final = timedelta(seconds=2)  # of a message
LONGEST_PAUSE: Final = timedelta(minutes=1)
OLD: Final = timedelta(hours=2)  # what failed for so long is tried more seldom
LONGEST_PAUSE_OF_OLD: Final = timedelta(minutes=10)
FIRST_REST: Final = timedelta(seconds=1)  # of a lane
LONGEST_REST: Final = timedelta(seconds=30)
_CRITICAL: Final = max(each.rank for each in Priority if each.is_critical)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observers:
    """Who counts: attempts by channel and outcome; seconds from queued to delivered by kind and urgency."""

    on_attempt: Callable[[str, str], None] = lambda channel, outcome: None
    on_delivered: Callable[[str, int, float], None] = lambda kind, urgency, seconds: None


@dataclass(slots=True)
class Lane:
    """A channel, who delivers for it, and how that goes. After a failure it rests, for longer each time in a row."""

    channel: Channel
    notifier: Notifier
    rate: Rate
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    rests_until: datetime | None = None
    counts: dict[AttemptOutcome, int] = field(default_factory=dict)

    def is_resting(self, now: datetime) -> bool:
        """Whether it is left alone now."""
        return self.rests_until is not None and now < self.rests_until

    def rest_easy(self) -> None:
        """It works, or there is nothing left that could fail."""
        self.failures, self.failing_since, self.rests_until = 0, None, None


class LaneWorker:
    """Takes a lane's turns. `random` gives numbers in [0, 1) and spreads retries; `now` is asked often."""

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        *,
        now: Callable[[], datetime],
        random: Callable[[], float],
        observers: Observers,
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._declared = declared
        self._now = now
        self._random = random
        self._observers = observers
        self._stopping = stopping

    def turn(self, lane: Lane, lease: HeldLease | None) -> None:
        """Deliver what is due until nothing is, the lane rests or its rate is used up.

        Raises `Transient` when the store can't be reached and `LeaseLost` when we lead no more.
        """
        while not (self._stopping.is_set() or lane.is_resting(self._now())):
            urgency = lane.rate.least_urgent()
            due = [] if urgency is None else self._claim(lane, urgency, lease)
            if not due:
                return
            self._batch(lane, due, lease)

    def _claim(self, lane: Lane, urgency: int, lease: HeldLease | None) -> list[DueMessage]:
        only = Channels(frozenset({lane.channel.name}), are_left_out=False)
        with self._store.transaction(lease=lease) as transaction:
            return transaction.outbox.claim(BATCH, self._now(), HOLD, only, urgency)

    def _batch(self, lane: Lane, due: Sequence[DueMessage], lease: HeldLease | None) -> None:
        """The claimed ones in order. When one fails or it takes long, the rest is put back untried."""
        claimed_at = self._now()
        for place, message in enumerate(due):
            outcome = self._deliver(lane, message, lease)
            lane.counts[outcome] = lane.counts.get(outcome, 0) + 1
            self._observers.on_attempt(lane.channel.name, outcome.value)
            rest = due[place + 1 :]
            stop = outcome in (AttemptOutcome.RETRIED, AttemptOutcome.POSTPONED) or self._stopping.is_set()
            if rest and (stop or self._now() - claimed_at > PUT_BACK_AFTER):
                self._put_back(rest, lease)
                return

    def _put_back(self, rest: Sequence[DueMessage], lease: HeldLease | None) -> None:
        now = self._now()
        with self._store.transaction(lease=lease) as transaction:
            for due in rest:
                transaction.outbox.postponed(due.message.id, now, now)

    def _deliver(self, lane: Lane, due: DueMessage, lease: HeldLease | None) -> AttemptOutcome:
        calls = lane.rate.made
        try:
            lane.notifier.notify(due.message)
        except LeaseLost:
            raise
        except RateLimited as error:
            return self._postponed(lane, due, error, lease)
        except Permanent as error:
            return self._given_up(lane, due, str(error), lease)
        except Transient as error:
            return self._failed(lane, due, str(error), lease)
        except Exception as error:  # a defect in telling one incident must not stop the lane
            log.exception("alerts.delivery_defect", extra=_fields(due))
            return self._failed(lane, due, f"a defect: {type(error).__name__}", lease)
        if lane.rate.made != calls:  # what is shown there already asks nobody, and so says nothing of who failed
            self._works(lane)
        return self._delivered(lane, due, lease)

    def _works(self, lane: Lane) -> None:
        if lane.failing_since is not None:
            log.info("alerts.channel_recovered", extra={"channel": lane.channel.name})
        lane.rest_easy()

    def _delivered(self, lane: Lane, due: DueMessage, lease: HeldLease | None) -> AttemptOutcome:
        now = self._now()
        with self._store.transaction(lease=lease) as transaction:
            transaction.outbox.delivered(due.message.id, now)
            write_down(transaction, due, AttemptOutcome.DELIVERED, now)
        seconds = max((now - due.enqueued_at).total_seconds(), 0.0)
        self._observers.on_delivered(lane.channel.kind.value, due.message.urgency, seconds)
        return AttemptOutcome.DELIVERED

    def _postponed(self, lane: Lane, due: DueMessage, error: RateLimited, lease: HeldLease | None) -> AttemptOutcome:
        now = self._now()
        until = min(error.until, now + LONGEST_HOLD)
        own = isinstance(error, NoRoom)
        if not own:
            lane.rate.hold(until)
        with self._store.transaction(lease=lease) as transaction:
            transaction.outbox.postponed(due.message.id, until, now)
            if not own:
                write_down(transaction, due, AttemptOutcome.POSTPONED, now, str(error))
        return AttemptOutcome.POSTPONED

    def _failed(self, lane: Lane, due: DueMessage, reason: str, lease: HeldLease | None) -> AttemptOutcome:
        now = self._now()
        lane.failures += 1
        lane.failing_since = lane.failing_since or now
        lane.rests_until = now + rest_after(lane.failures, self._random())
        age = now - due.enqueued_at
        if age >= GIVE_UP_AFTER:
            return self._given_up(lane, due, f"{reason}; it was tried for {GIVE_UP_AFTER.days} day", lease)
        retry_at = now + pause_after(due.attempts, age, self._random())
        with self._store.transaction(lease=lease) as transaction:
            transaction.outbox.failed(due.message.id, reason, retry_at, now)
            write_down(transaction, due, AttemptOutcome.RETRIED, now, reason)
        log.warning("alerts.delivery_failed", extra=_fields(due) | {"error": reason})
        return AttemptOutcome.RETRIED

    def _given_up(self, lane: Lane, due: DueMessage, reason: str, lease: HeldLease | None) -> AttemptOutcome:
        now = self._now()
        with self._store.transaction(lease=lease) as transaction:
            give_up(transaction, due, reason, self._declared(), now)
        log.warning("alerts.given_up", extra=_fields(due) | {"error": reason})
        return AttemptOutcome.GIVEN_UP


def give_up(transaction: Transaction, due: DueMessage, reason: str, declared: AlertsDeclared, now: datetime) -> None:
    """Bury it as a dead letter; a critical page takes the next channel at once."""
    transaction.outbox.failed(due.message.id, reason, None, now)
    write_down(transaction, due, AttemptOutcome.GIVEN_UP, now, reason)
    if incident_of(due) and due.message.urgency <= _CRITICAL:
        other_ways(transaction, due.message, declared, now)


def pause_after(failed_attempts: int, age: timedelta, chance: float) -> timedelta:
    """How long a message waits after `failed_attempts` + 1 failures: doubling up to a minute, a random half of it.

    So a provider that is back has everything within two minutes. What failed for hours waits longer.
    """
    longest = LONGEST_PAUSE if age < OLD else LONGEST_PAUSE_OF_OLD
    return _spread(min(FIRST_PAUSE * 2 ** min(failed_attempts, 20), longest), chance)


def rest_after(failures: int, chance: float) -> timedelta:
    """How long a lane rests after so many failures in a row, one at least: doubling up to half a minute."""
    return _spread(min(FIRST_REST * 2 ** min(failures - 1, 20), LONGEST_REST), chance)


def _spread(longest: timedelta, chance: float) -> timedelta:
    return timedelta(seconds=longest.total_seconds() * (0.5 + chance / 2))


def _fields(due: DueMessage) -> dict[str, str | int]:
    return {"channel": due.message.channel, "id": due.message.id, "attempt": due.attempts + 1}
