"""Which replica may act: one holds the lease, renews it, and stops acting when it can't."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from controlplane.ports import HeldLease, LeaseLost, Leases, Transient
from flyball.telemetry import Metrics

LEASE_NAME: Final = "leader"
_RENEWALS_PER_TTL: Final = 3
log = logging.getLogger(__name__)


class Leadership:
    """Takes the lease when it is free and renews it every third of its life.

    We count its life from before each request, by a clock that goes on while the process is stopped, so we stop
    leading before the database gives the lease away. Whoever is late nevertheless is refused by the epoch.
    Safe between threads.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        holder: str,
        ttl: timedelta,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases = leases
        self._holder = holder
        self._ttl = ttl
        self._metrics = metrics
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: HeldLease | None = None
        self._good_until = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, name="lease", daemon=True)
        metrics.leader.set_function(lambda: float(self.lease is not None))

    @property
    def lease(self) -> HeldLease | None:
        """Ours, while it surely is."""
        with self._lock:
            return self._held if self._held and self._monotonic() < self._good_until else None

    def proof(self) -> HeldLease:
        """Ours, for a write that only the leader may do. Raises `LeaseLost` when we have none."""
        lease = self.lease
        if lease is None:
            raise LeaseLost(f"{self._holder} does not lead")
        return lease

    def renew(self) -> bool:
        """Take or renew it once; whether we lead now. An unreachable database leaves us what is left of our time."""
        asked_at = self._monotonic()
        try:
            lease = self._leases.acquire(LEASE_NAME, self._holder, self._ttl)
        except Transient as error:
            log.warning("leadership.renewal_failed", extra={"error": str(error)})
            return self.lease is not None
        self._take(lease, asked_at + self._ttl.total_seconds())
        return lease is not None

    def _take(self, lease: HeldLease | None, good_until: float) -> None:
        with self._lock:
            before, self._held, self._good_until = self._held, lease, good_until
        if lease:
            self._metrics.lease_epoch.set(lease.epoch)
        if lease and (before is None or before.epoch != lease.epoch):
            log.info("leadership.gained", extra={"epoch": lease.epoch, "holder": self._holder})
        if before and lease is None:
            log.warning("leadership.lost", extra={"epoch": before.epoch, "holder": self._holder})

    def lost(self, lease: HeldLease) -> None:
        """A write with `lease` was refused: stop leading unless we hold a newer one."""
        with self._lock:
            same = self._held is not None and self._held.epoch == lease.epoch
            if same:
                self._held = None
        if same:
            log.warning("leadership.lost", extra={"epoch": lease.epoch, "holder": self._holder})

    def start(self) -> None:
        """Ask for it now, then keep asking in the background."""
        self.renew()
        self._thread.start()

    def stop(self) -> None:
        """Stop asking, and give it up so that another replica need not wait."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(self._ttl.total_seconds())
        with self._lock:
            held, self._held = self._held, None
        if held is None:
            return
        try:
            self._leases.release(held)
        except Transient as error:
            log.warning("leadership.release_failed", extra={"error": str(error)})
        else:
            log.info("leadership.released", extra={"epoch": held.epoch, "holder": self._holder})

    def _keep_renewing(self) -> None:
        pause_seconds = self._ttl.total_seconds() / _RENEWALS_PER_TTL
        while not self._stopping.wait(pause_seconds):
            try:
                self.renew()
            except Exception:
                log.exception("leadership.failed")
