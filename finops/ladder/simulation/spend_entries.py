"""Charges as what was spent in each five minutes, the way a live ledger would have recorded them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL

Entries = Mapping[datetime, Decimal]
"""Money (or units) of each five minutes, by their end."""
_ZERO: Final = Decimal(0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Charge:
    """Money, or units, of a time: half-open, aware UTC."""

    start: datetime
    end: datetime
    amount: Decimal


def entries_of(charges: Iterable[Charge], start: datetime, end: datetime) -> dict[datetime, Decimal]:
    """Each charge spread evenly over its time; nothing between `start` and `end` is missing: what has no charge is 0.

    Both are cut to five minutes. What lies outside is left out.
    """
    first, count = _floor(start), max(-(-(end - _floor(start)) // LEDGER_INTERVAL), 0)
    sums = [_ZERO] * (count + 1)  # differences: a charge adds its share from here on, and takes it back at its end
    for charge in _joined(charges):
        if charge.end <= charge.start:
            continue
        begin, until = _floor(charge.start), _ceiling(charge.end)
        share = charge.amount / ((until - begin) // LEDGER_INTERVAL)
        sums[min(max((begin - first) // LEDGER_INTERVAL, 0), count)] += share
        sums[min(max((until - first) // LEDGER_INTERVAL, 0), count)] -= share
    found: dict[datetime, Decimal] = {}
    running = _ZERO
    for place in range(count):
        running += sums[place]
        found[first + (place + 1) * LEDGER_INTERVAL] = running
    return found


def _joined(charges: Iterable[Charge]) -> Iterable[Charge]:
    """Charges of the same time as one."""
    sums: dict[tuple[datetime, datetime], Decimal] = {}
    for charge in charges:
        key = (charge.start, charge.end)
        sums[key] = sums.get(key, _ZERO) + charge.amount
    return [Charge(start, end, amount) for (start, end), amount in sorted(sums.items())]


def _floor(at: datetime) -> datetime:
    return at - (at - _EPOCH) % LEDGER_INTERVAL


def _ceiling(at: datetime) -> datetime:
    return at + -(at - _EPOCH) % LEDGER_INTERVAL
