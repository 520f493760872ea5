"""A prober's reports: what waits goes out in bounded batches, and an empty one now and then says that we live."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.check import ReportHead
from controlplane.ports import Clock, Permanent, Transient
from synthetics.regions.ports import Delivered, Delivery, Fate
from synthetics.regions.spool import Batch, Spool

HEARTBEAT: Final = timedelta(seconds=10)  # the longest time between two reports, even when there is nothing to say
_EVERY: Final = timedelta(seconds=2)
_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = HEARTBEAT  # nobody waits long for us after an outage
_DENIED_WAIT: Final = timedelta(minutes=1)
_AT_ONCE: Final = timedelta(0)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`every`: how long results are gathered. `heartbeat`: after how long an empty report goes out."""

    every: timedelta = _EVERY
    heartbeat: timedelta = HEARTBEAT


class Reporter:
    """Sends what the spool holds. One thread drives it by `turn`.

    The newest results go first, so that the present is known at once after an outage, and then the oldest.
    `chance` gives numbers in [0, 1): many probers must not come back at the same moment.
    """

    def __init__(
        self,
        spool: Spool,
        delivery: Delivery,
        *,
        region: str,
        prober: str,
        version: str,
        chance: Callable[[], float],
        rhythm: Rhythm | None = None,
    ) -> None:
        self._spool = spool
        self._delivery = delivery
        self._region = region
        self._prober = prober
        self._version = version
        self._chance = chance
        self._rhythm = rhythm or Rhythm()
        self._failures = 0
        self._heard_at: datetime | None = None
        self._trouble = ""

    def turn(self, now: datetime) -> timedelta:
        """Send what waits, two batches at most; how long to wait for the next turn."""
        dropped = self._spool.trim(now)
        if dropped:
            log.error("prober.results_dropped", extra={"region": self._region, "results": dropped})
        batches = self._spool.pending() or self._cut()
        for batch in batches:
            answer = self._send(batch.prober, batch.sequence, batch, now)
            if answer.fate in (Fate.AGAIN, Fate.DENIED):
                return self._later(answer)
        if not batches and (self._heard_at is None or now - self._heard_at >= self._rhythm.heartbeat):
            answer = self._send(self._prober, self._spool.next_sequence(), None, now)
            if answer.fate is not Fate.TAKEN:
                return self._later(answer)
        return self._well(bool(batches))

    def _cut(self) -> list[Batch]:
        newest = self._spool.cut_newest()
        oldest = self._spool.cut_oldest() if newest else None
        return [batch for batch in (newest, oldest) if batch]

    def _send(self, prober: str, sequence: int, batch: Batch | None, now: datetime) -> Delivered:
        rendered = batch.rendered if batch else ()
        buffered = max(0, self._spool.waiting - len(rendered))
        head = ReportHead(self._region, prober, sequence, now, buffered, self._version)
        answer = self._delivery.deliver(head, rendered, now)
        if answer.fate is Fate.TAKEN:
            self._heard_at = now
            if batch:
                self._spool.settle(batch)
        elif answer.fate is Fate.REFUSED and batch:
            fields = {"region": self._region, "sequence": sequence, "results": len(rendered), "reason": answer.reason}
            log.error("prober.report_refused", extra=fields)
            self._spool.set_aside(batch, answer.reason, now)
        return answer

    def _well(self, has_sent: bool) -> timedelta:
        if self._trouble:
            log.info("prober.reports_again", extra={"region": self._region, "buffered": self._spool.waiting})
        self._failures, self._trouble = 0, ""
        return _AT_ONCE if has_sent and self._spool.waiting else self._rhythm.every

    def _later(self, answer: Delivered) -> timedelta:
        if answer.reason != self._trouble:  # once, not at every attempt
            level = logging.WARNING if answer.fate is Fate.AGAIN else logging.ERROR
            log.log(level, "prober.not_reported", extra={"region": self._region, "reason": answer.reason})
        self._trouble = answer.reason
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(self._failures, 10)))
        self._failures += 1
        if answer.fate is not Fate.AGAIN:
            wait = _DENIED_WAIT
        elif answer.retry_after is not None:
            wait = max(wait, min(answer.retry_after, _DENIED_WAIT))
        return wait * (0.5 + self._chance() / 2)


class ReportingThread:
    """Drives a reporter until it is stopped."""

    def __init__(self, reporter: Reporter, clock: Clock) -> None:
        self._reporter = reporter
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self, within_seconds: float = 5.0) -> None:
        """Report what waits once more, and end. What is not taken by then stays in the spool."""
        self._stopping.set()
        self._thread.join(within_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._turn().total_seconds())
        self._turn()

    def _turn(self) -> timedelta:
        try:
            return self._reporter.turn(self._clock.now())
        except (Transient, Permanent) as error:  # a full disk may be emptied
            log.error("prober.spool_fails", extra={"error": str(error)})
        except Exception:  # without this thread nothing would ever be reported again
            log.exception("prober.report_broke")
        return _LONGEST_WAIT
