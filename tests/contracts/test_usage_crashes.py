"""kill -9 while usage is taken in and while months are closed: totals and invoices are exact."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from controlplane.model.usage import LineKind, UsageEvent
from controlplane.store import SqlStore
from exporters.usage.closing import read_closed
from tests.contracts.crashing_meter import TENANTS, month_of, start_of, work

ROOT = Path(__file__).resolve().parents[2]
STEPS = 75  # of a whole month
SEED = 20261130


@pytest.fixture(scope="module")
def meters() -> Iterator["subprocess.Popen[str]"]:
    """What starts meters."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests/contracts/crashing_meter.py"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield process
    process.communicate()
    assert process.returncode == 0


def _crash(meters: "subprocess.Popen[str]", url: str, month: int, chance: random.Random) -> list[str]:
    """Run a meter until it is killed; what it had acknowledged."""
    from_outside = chance.random() < 0.4
    die_at = -1 if from_outside else chance.randrange(STEPS)
    assert meters.stdin is not None
    assert meters.stdout is not None
    meters.stdin.write(f"{url} {month} {die_at} {chance.uniform(0, 0.4)}\n")  # to hit it anywhere
    meters.stdin.flush()
    status, *acknowledged = meters.stdout.readline().split()
    assert status in ("-9", "0")
    return acknowledged


def _check_taken(store: SqlStore, month: int, acknowledged: int) -> None:
    """Batches are there whole or not at all, and all that were acknowledged."""
    with store.transaction(read_only=True) as transaction:
        totals = transaction.usage.totals(period=f"{start_of(month):%Y-%m}")
    counted = sum(total.events for total in totals if total.booked == total.period)
    sizes = [len(batch) for batch in month_of(month).early]
    whole = [sum(sizes[:count]) for count in range(4)]
    assert counted in whole[min(acknowledged, 3) :]


def _check_invoice(store: SqlStore, month: int) -> None:
    """The month's invoice against one reckoned plainly from the events."""
    closed = read_closed(store, f"{start_of(month):%Y-%m}")
    assert closed is not None
    of_month = month_of(month)
    before = month_of(month - 1)
    for tenant in TENANTS:
        used = _sum(of_month.counted, tenant)
        lines = {line.kind: line for line in closed.lines if line.tenant == tenant}
        if used is None:
            assert LineKind.USAGE not in lines
        else:
            assert (lines[LineKind.USAGE].quantity, lines[LineKind.USAGE].amount) == (used, _amount(used))
        late = _sum(before.late, tenant) if month else None
        if late is None:
            assert LineKind.ADJUSTMENT not in lines
        else:
            earlier = _sum(before.counted, tenant) or Decimal(0)
            assert lines[LineKind.ADJUSTMENT].quantity == late
            assert lines[LineKind.ADJUSTMENT].amount == _amount(earlier + late) - _amount(earlier)
    with store.transaction(read_only=True) as transaction:
        events = [each.event.subject for each in transaction.events.after(0, 10_000)]
        assert transaction.audit.verify() is None
    assert events == [f"{start_of(number):%Y-%m}" for number in range(month + 1)]


def _sum(events: tuple[UsageEvent, ...], tenant: str) -> Decimal | None:
    own = [event.readings[0].quantity for event in events if event.tenant == tenant]
    return sum(own, Decimal(0)) if own else None


def _amount(quantity: Decimal) -> Decimal:
    return (max(quantity - 50, Decimal(0)) * Decimal("0.07")).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _campaign(store: SqlStore, url: str, meters: "subprocess.Popen[str]", crashes: int) -> None:
    chance = random.Random(SEED)
    closed_before_the_end = 0
    for month in range(crashes):
        acknowledged = _crash(meters, url, month, chance)
        _check_taken(store, month, acknowledged.count("taken"))
        closed_before_the_end += "closed" in acknowledged
        work(store, month)  # whoever is told nothing sends it again
        _check_invoice(store, month)
    assert closed_before_the_end < crashes


def test_a_killed_meter_counts_and_closes_exactly(
    store: SqlStore, migrated_url: str, meters: "subprocess.Popen[str]"
) -> None:
    _campaign(store, migrated_url, meters, 8 if "sqlite" in migrated_url else 5)


@pytest.mark.soak
def test_hundreds_of_killed_meters_count_and_close_exactly(
    store: SqlStore, migrated_url: str, meters: "subprocess.Popen[str]"
) -> None:
    _campaign(store, migrated_url, meters, 200)
