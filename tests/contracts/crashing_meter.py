"""Takes usage of one month in, then closes it, until it is killed: `crashing_meter.py URL MONTH DIE_AT_STEP`.

Every call of the store is a step; before the step with number DIE_AT_STEP the process kills itself, as the kernel
would: without a word. A negative number leaves that to others.
"""

import itertools
import os
import random
import signal
import sys
from collections.abc import Iterator
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


def work(store: Any, number: int) -> None:
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


def acknowledge(what: str) -> None:
    """Tell whoever listens that it is done."""
    if __name__ == "__main__":
        os.write(1, f"{what}\n".encode())


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


if __name__ == "__main__":
    url, number, die_at = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    work(Dying(open_store(url), die_at, itertools.count()), number)
