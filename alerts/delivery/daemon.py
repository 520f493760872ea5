"""Delivers to every channel at once: a lane each, so that a slow provider holds up nobody else."""

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.delivery.lanes import Lane, LaneWorker, Observers, give_up
from alerts.delivery.rates import Rates
from alerts.model import AlertsDeclared
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind
from controlplane.model.incident import AttemptOutcome
from controlplane.model.outbox import Channels
from controlplane.ports import HeldLease, LeaseLost, Permanent, Store

MOST_THREADS: Final = 64
STRAYS_WAIT: Final = timedelta(hours=1)  # for a channel that no receiver declares (any more): files may be mended
_STRAYS: Final = 100
_CLOSING_SECONDS: Final = 20.0
_SILENT_AFTER: Final = timedelta(minutes=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LanesRan:
    """What the lanes did since the last turn; `busy` of them are still at it."""

    delivered: int = 0
    retried: int = 0
    postponed: int = 0
    given_up: int = 0
    busy: int = 0


@dataclass(frozen=True, slots=True)
class _Running:
    """A lane at work, and the lease under which it is."""

    future: Future[None]
    lease: HeldLease | None


class LanesDaemon:
    """Starts the turn of each lane that is not at work, and waits a little for them.

    `notifier_of` makes a channel's notifier; None for one that is delivered otherwise (the console). `others` are
    channels of the outbox that are none of our business. `patience_seconds` None: wait until all have ended.
    """

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        notifier_of: Callable[[Channel], Notifier | None],
        rates: Rates,
        *,
        now: Callable[[], datetime],
        random: Callable[[], float],
        observers: Observers | None = None,
        others: frozenset[str] = frozenset(),
        patience_seconds: float | None = 0.5,
    ) -> None:
        self._store = store
        self._declared = declared
        self._notifier_of = notifier_of
        self._rates = rates
        self._others = others
        self._patience_seconds = patience_seconds
        self._now = now
        self._ran_at: datetime | None = None
        self._stopping = threading.Event()
        self._worker = LaneWorker(
            store, declared, now=now, random=random, observers=observers or Observers(), stopping=self._stopping
        )
        self._pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="lane")
        self._lanes: dict[str, Lane] = {}
        self._running: dict[str, _Running] = {}

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> LanesRan:
        """Start what is not running. Raises what a lane raised: `LeaseLost` before all others."""
        self._ran_at = self._now()
        failures = self._collect(lease)
        self._declare()
        _raise_worst(failures)
        for lane in self._with_work():
            if lane.channel.name not in self._running and not lane.is_resting(now):
                future = self._pool.submit(self._worker.turn, lane, lease)
                self._running[lane.channel.name] = _Running(future, lease)
        self._wait(self._patience_seconds)
        _raise_worst(self._collect(lease))
        return self._ran()

    def bury_strays(self, now: datetime, lease: HeldLease | None = None) -> int:
        """Give up messages to channels that no receiver declares, an hour after they were queued; how many.

        A channel that is declared again meanwhile takes them.
        """
        known = frozenset(each.name for each in self._declared().channels()) | self._others
        with self._store.transaction(lease=lease) as transaction:
            found = transaction.outbox.claim(_STRAYS, now, channels=Channels(known))
            lost = [due for due in found if now - due.enqueued_at >= STRAYS_WAIT]
            for due in found:
                if due not in lost:
                    transaction.outbox.postponed(due.message.id, due.enqueued_at + STRAYS_WAIT, now)
            for due in lost:
                reason = f"no receiver declares the channel {due.message.channel}"
                give_up(transaction, due, reason, self._declared(), now)
        for due in lost:
            log.warning("alerts.given_up", extra={"channel": due.message.channel, "id": due.message.id})
        return len(lost)

    def failing(self) -> dict[str, datetime]:
        """Channels for which something waits and whose deliveries fail, and since when all do.

        A process that delivers no more knows of none.
        """
        if self._ran_at is None or self._now() - self._ran_at > _SILENT_AFTER:
            return {}
        lanes = list(self._lanes.values())
        return {lane.channel.name: lane.failing_since for lane in lanes if lane.failing_since is not None}

    def close(self) -> None:
        """Let running lanes end what they are at, within bounds; nothing is begun any more."""
        self._stopping.set()
        self._wait(_CLOSING_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _with_work(self) -> list[Lane]:
        """Lanes that have messages, due or not: one question a turn spares each idle lane a claim of its own."""
        with self._store.transaction(read_only=True) as transaction:
            channels = transaction.outbox.oldest()
        for name, lane in self._lanes.items():
            if name not in channels and name not in self._running:
                lane.rest_easy()
        return [lane for name, lane in self._lanes.items() if name in channels]

    def _declare(self) -> None:
        """Lanes as they are declared now. One that is at work keeps its notifier until it has ended its turn."""
        wanted = {each.name: each for each in self._declared().channels() if each.kind is not ChannelKind.CONSOLE}
        for name in [name for name in self._lanes if name not in wanted and name not in self._running]:
            del self._lanes[name]
        for name, channel in wanted.items():
            known = self._lanes.get(name)
            if name in self._running or (known is not None and known.channel == channel):
                continue
            lane = self._lane(channel)
            if lane is not None:
                self._lanes[name] = lane

    def _lane(self, channel: Channel) -> Lane | None:
        try:
            notifier = self._notifier_of(channel)
        except Permanent as error:  # said once a turn by the job's own failure would hide the other lanes
            log.warning("alerts.channel_unusable", extra={"channel": channel.name, "error": str(error)})
            return None
        return Lane(channel, notifier, self._rates.of(channel)) if notifier else None

    def _wait(self, seconds: float | None) -> None:
        wait([each.future for each in self._running.values()], seconds)

    def _collect(self, lease: HeldLease | None) -> list[BaseException]:
        """What lanes that have ended raised. That an earlier lease was lost is no news under the present one."""
        ended = {name: each for name, each in self._running.items() if each.future.done()}
        for name in ended:
            del self._running[name]
        found = ((each.future.exception(), each.lease) for each in ended.values())
        return [
            error
            for error, under in found
            if error is not None and not (isinstance(error, LeaseLost) and under != lease)
        ]

    def _ran(self) -> LanesRan:
        counts: dict[AttemptOutcome, int] = {}
        for lane in (each for name, each in self._lanes.items() if name not in self._running):
            taken, lane.counts = lane.counts, {}
            for outcome, count in taken.items():
                counts[outcome] = counts.get(outcome, 0) + count
        return LanesRan(
            delivered=counts.get(AttemptOutcome.DELIVERED, 0),
            retried=counts.get(AttemptOutcome.RETRIED, 0),
            postponed=counts.get(AttemptOutcome.POSTPONED, 0),
            given_up=counts.get(AttemptOutcome.GIVEN_UP, 0),
            busy=len(self._running),
        )


def _raise_worst(errors: Iterable[BaseException]) -> None:
    """The one that matters most, if there is any; the others are of the same kind nearly always."""
    found = sorted(errors, key=lambda error: not isinstance(error, LeaseLost))
    if found:
        raise found[0]
