"""Takes usage of one month in, then closes it, until it is killed.

Run as a program it reads a line for each run, `URL MONTH DIE_AT_STEP KILL_AFTER_SECONDS`, does it in a process of its
own, and answers with a line: its exit status, and what it had acknowledged. (Forking saves the second that the imports
take: hundreds of runs are cheap.) Every call of the store is a step; before the step with number DIE_AT_STEP the
process kills itself, as the kernel would: without a word. A negative number leaves that to KILL_AFTER_SECONDS.
"""

import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from controlplane.model.usage import Aggregation, UsageEvent
from controlplane.store import open_store
from exporters.usage.closing import Closer
from exporters.usage.deliveries import Delivery
from exporters.usage.intake import Intake
from exporters.usage.terms import Billing, Meter, Price, UsageTerms
from tests.contracts.metering import used

TOKENS = Meter(
    "tokens", "x", Aggregation.SUM, "token", ("n",),
    billing=Billing(free=Decimal(50), price=Price(Decimal("0.07"), Decimal(1), "USD", 2)),
)  # fmt: skip
TERMS = UsageTerms((TOKENS,))
TENANTS = ("alpha", "beta", "gamma")


def start_of(month: int) -> datetime:
    """The begin of a month, counted from January 2001."""
    return datetime(2001 + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def closing_of(month: int) -> datetime:
    """When it is closed."""
    return start_of(month + 1) + timedelta(days=4)


@dataclass(frozen=True)
class Month:
    """What is sent about one month: before it is closed, and after."""

    early: tuple[tuple[UsageEvent, ...], ...]
    late: tuple[UsageEvent, ...]
    conflicts: tuple[UsageEvent, ...] = field(default=())

    @property
    def counted(self) -> tuple[UsageEvent, ...]:
        """Those in time."""
        return tuple(event for batch in self.early for event in batch)


def month_of(number: int) -> Month:
    """The same month for the same number."""
    chance = random.Random(number)
    name = itertools.count()

    def event() -> UsageEvent:
        at = start_of(number) + timedelta(seconds=chance.randrange(28 * 86_400))
        quantity = str(Decimal(chance.randrange(1, 10_000_000)) / 10 ** chance.randrange(7))
        return used(f"m{number}-{next(name)}", quantity, tenant=chance.choice(TENANTS), time=at)

    early = tuple(tuple(event() for _ in range(chance.randrange(1, 40))) for _ in range(3))
    late = tuple(event() for _ in range(chance.randrange(1, 10)))
    first = early[0][0]
    other = used(first.id, "123456", tenant=first.tenant, time=first.time)
    return Month(early, late, (replace(other, source=first.source),))


def work(store: Any, number: int, acknowledge: Callable[[str], None] = lambda _: None) -> None:
    """Send everything about a month, what is late of the one before included, and close it. May be repeated."""
    month, before = month_of(number), month_of(number - 1)
    intake, now = Intake(store), closing_of(number)
    for batch in month.early:
        repeated = batch[: len(batch) // 2]
        intake.take(Delivery((*batch, *repeated)), now)
        acknowledge("taken")
    intake.take(Delivery(month.conflicts), now)
    if number > 0:
        intake.take(Delivery(before.late), now)
    name = f"{start_of(number):%Y-%m}"
    Closer(store, TERMS).close(name, now)
    acknowledge("closed")


class Dying:
    """Passes every call on, and dies before the one whose turn it is."""

    def __init__(self, inner: Any, die_at: int, steps: Iterator[int]) -> None:
        self._inner, self._die_at, self._steps = inner, die_at, steps

    def step(self) -> None:
        if next(self._steps) == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        self.step()
        found = getattr(self._inner, name)
        return found if callable(found) else Dying(found, self._die_at, self._steps)

    @contextmanager
    def transaction(self, **options: Any) -> Iterator[Any]:
        self.step()
        with self._inner.transaction(**options) as transaction:
            yield Dying(transaction, self._die_at, self._steps)
            self.step()
        self.step()


def _child(url: str, number: int, die_at: int, out: int) -> None:
    store = open_store(url)
    work(Dying(store, die_at, itertools.count()), number, lambda what: os.write(out, f"{what} ".encode()) and None)
    store.close()


def _run(url: str, number: int, die_at: int, kill_after: float) -> str:
    inward, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inward)
        try:
            _child(url, number, die_at, out)
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(out)
    if die_at < 0:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(inward, "rb") as stream:
        acknowledged = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return f"{os.waitstatus_to_exitcode(status)} {acknowledged}"


if __name__ == "__main__":
    for line in sys.stdin:
        url, month, step, seconds = line.split()
        print(_run(url, int(month), int(step), float(seconds)), flush=True)
