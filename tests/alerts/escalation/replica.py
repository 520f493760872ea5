"""A process that leads if it may, and escalates while it does. Says what it did, a JSON object a line.

Started as `replica.py DATABASE_URL NAME LEASE_SECONDS`. On SIGUSR1 it stops itself within its next transaction.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from alerts.escalation.daemon import Escalator
from controlplane.ports import HeldLease, LeaseLost, Transaction, Transient
from controlplane.store import open_store
from tests.alerts.escalation.bench import DECLARED

if TYPE_CHECKING:
    from controlplane.store import SqlStore

RENEWALS = 3  # a lease's life, as `flyball.leadership` does it
TICK_SECONDS = 1.0


class Stopping:
    """A store in whose transaction the process stops, when it was asked to."""

    def __init__(self, store: "SqlStore") -> None:
        self.leases = store.leases
        self._store = store
        self.is_asked = False

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        with self._store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction
            if self.is_asked and not read_only:
                self.is_asked = False
                os.kill(os.getpid(), signal.SIGSTOP)

    def ping(self) -> None:
        self._store.ping()


def main(url: str, name: str, lease_seconds: float) -> None:
    """Until it is killed."""
    store = Stopping(open_store(url))
    signal.signal(signal.SIGUSR1, lambda *_: setattr(store, "is_asked", True))
    escalator = Escalator(store, lambda: DECLARED)
    ttl, lease, asked = timedelta(seconds=lease_seconds), None, 0.0
    while True:
        try:
            if lease is not None:  # before it asks whether it still leads: as one that was stopped would go on
                for each in escalator.run_once(datetime.now(UTC), lease).fired:
                    say(event="fired", incident=each.step.incident, step=each.step.step, at=each.step.fired_at)
                with store.transaction(lease=lease) as transaction:
                    transaction.incidents.lock()
            if time.monotonic() - asked >= lease_seconds / RENEWALS:
                asked, before = time.monotonic(), lease
                lease = store.leases.acquire("leader", name, ttl)
                if lease is not None and (before is None or before.epoch != lease.epoch):
                    with store.transaction(read_only=True) as transaction:
                        say(event="leads", epoch=lease.epoch, at=transaction.database_time())
        except LeaseLost:
            lease = None
            say(event="lost")
        except Transient as error:
            say(event="failed", why=str(error)[:100])
        time.sleep(TICK_SECONDS)


def say(**what: object) -> None:
    """One line."""
    print(json.dumps(what, default=str), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
