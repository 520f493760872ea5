"""The heartbeat to the outside: sent only while the whole way from an alert to a person works.

Who listens there tells people by another way when it stops. So it says more than that this process lives: alerts
arrive, escalations fire, and nobody waits for a critical page that has not left.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Protocol

from alerts.watchdog.rules import SILENT_AFTER
from alerts.watchdog.watching import last_seen
from controlplane import wording
from controlplane.model.incident import AttemptOutcome, Incident, IncidentState
from controlplane.ports import HeldLease, Permanent, Store, Transaction, Transient

EVERY: Final = timedelta(seconds=30)
UNTOLD_AFTER: Final = timedelta(minutes=5)
STUCK_AFTER: Final = timedelta(minutes=2)  # of a step of an escalation that is due and has not fired
_MOST_LOOKED_AT: Final = 50  # incidents that nobody was told of: one is enough to stop the heart
_TAKEN: Final = (AttemptOutcome.DELIVERED, AttemptOutcome.SPOOLED)
_CRITICAL: Final = 1
log = logging.getLogger(__name__)


class Pulse(Protocol):
    """Reaches the outside once. Errors: `Transient` and `Permanent`, whose texts hold no part of a secret address."""

    def beat(self) -> None:
        """Returning means that it was heard."""
        ...


class Beat(Enum):
    """How a turn ended."""

    SENT = "sent"
    FAILED = "failed"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Beaten:
    """One turn, and why it was not sent."""

    beat: Beat
    why: str = ""


class Heart:
    """`others` say what else is wrong, or nothing, such as a job that has not run. Not for several threads at once."""

    def __init__(
        self,
        store: Store,
        pulse: Pulse,
        *,
        is_expected: Callable[[], bool],
        others: Sequence[Callable[[datetime], str]] = (),
    ) -> None:
        self._store = store
        self._pulse = pulse
        self._is_expected = is_expected
        self._others = others
        self._counts: Counter[Beat] = Counter()
        self._told = ""
        self.sent_at: datetime | None = None

    @property
    def counts(self) -> Mapping[Beat, int]:
        """How many turns ended how, since this process began."""
        return {beat: self._counts[beat] for beat in Beat}

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Beaten:
        """Look at every part, then beat. A store that cannot be asked raises, and nothing is sent."""
        done = self._beaten(now, lease)
        self._counts[done.beat] += 1
        if done.why != self._told:  # not every thirty seconds
            self._told = done.why
            if done.why:
                log.warning(f"alerts.heartbeat_{done.beat.value}", extra={"why": done.why})
            else:
                log.info("alerts.heartbeat_recovered")
        return done

    def _beaten(self, now: datetime, lease: HeldLease | None) -> Beaten:
        try:
            with self._store.transaction(lease=lease) as transaction:  # also: we still lead, and the store takes writes
                why = "; ".join(self.troubles(transaction, now))
        except (Transient, Permanent):
            self._counts[Beat.WITHHELD] += 1
            raise
        if why:
            return Beaten(Beat.WITHHELD, why)
        try:
            self._pulse.beat()
        except (Transient, Permanent) as error:
            return Beaten(Beat.FAILED, str(error))
        self.sent_at = now
        return Beaten(Beat.SENT)

    def troubles(self, transaction: Transaction, now: datetime) -> Iterator[str]:
        """What does not work now, in words."""
        if self._is_expected():
            seen = last_seen(transaction)
            if seen is None:
                yield "no Watchdog has ever arrived"
            elif now - seen >= SILENT_AFTER:
                yield f"no Watchdog has arrived for {wording.duration(now - seen)}"
        for step in transaction.incidents.due_steps(now - STUCK_AFTER, 1):
            yield f"an escalation is due since {wording.utc(step.due_at)} and has not fired"
        if (untold := _untold(transaction, now)) is not None:
            yield f"{untold.name} is open for {wording.duration(now - untold.opened_at)} and no message of it has left"
        for other in self._others:
            if why := other(now):
                yield why


def _untold(transaction: Transaction, now: datetime) -> Incident | None:
    """A critical incident that nobody has, with a message that should have left, and none that did."""
    waiting = {due.message.key for due in transaction.outbox.overdue(now - UNTOLD_AFTER, _CRITICAL)}
    if not waiting:
        return None
    unheard = [
        incident
        for incident in transaction.incidents.open()
        if incident.id in waiting and incident.state is IncidentState.OPEN and now - incident.opened_at >= UNTOLD_AFTER
    ]
    for incident in unheard[:_MOST_LOOKED_AT]:
        if not any(attempt.outcome in _TAKEN for attempt in transaction.telling.attempts_of(incident.id)):
            return incident
    return None
