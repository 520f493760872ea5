"""What costs more or less than a week ago: two questions to a ledger, and their difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.spend import Ledger, SpendQuestion, SpendTable
from controlplane.ports import CostLedger

WEEK: Final = timedelta(days=7)
SETTLING: Final = timedelta(days=2)  # how long clouds keep adding rows to a day that is over
NOTICEABLE: Final = Decimal("0.005")  # of any currency: less reads as no change, and may be a float's rounding
_HOUR: Final = timedelta(hours=1)
SHOWN: Final = 10  # of each currency
DIMENSIONS: Final = ("service", "provider", "resource", "namespace", "tenant", "team", "route", "connector", "region")


@dataclass(frozen=True, slots=True)
class Mover:
    """What one key cost in the earlier week and in the later one; None where the ledger has no row of it."""

    key: str | None
    currency: str
    before: Decimal | None
    after: Decimal | None

    @property
    def change(self) -> Decimal:
        """How much more it cost; a key that is new, or gone, counts whole."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))

    @property
    def ratio(self) -> float | None:
        """Change ÷ what it cost before; None for what is new."""
        return float(self.change / self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class Movers:
    """The keys whose cost changed most, by currency, and how many more there are.

    `start` and `end` are those of the later week (half-open). `complete_until` is where the ledger's data end.
    """

    by: str
    ledger: Ledger
    start: datetime
    end: datetime
    shown: tuple[Mover, ...]
    left_out: int
    complete_until: datetime | None


def fetch_movers(ledger: CostLedger, kind: Ledger, by: str, now: datetime) -> Movers:
    """The last 7 days that the ledger has whole against the 7 before. Errors of the ledger pass through.

    A billed ledger is late, and its latest days are still being filled in: its week ends `SETTLING` before its data
    do, at a day's begin.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    if kind is Ledger.BILLED:
        known = ledger.spend(SpendQuestion(end - _HOUR, end)).complete_until
        end = min(end, known or end).replace(hour=0, minute=0, second=0, microsecond=0) - SETTLING
    after = ledger.spend(SpendQuestion(end - WEEK, end, (by,)))
    before = ledger.spend(SpendQuestion(end - 2 * WEEK, end - WEEK, (by,)))
    movers = [mover for mover in compared(before, after) if abs(mover.change) >= NOTICEABLE]
    shown = [mover for currency in _currencies(movers) for mover in _largest(movers, currency)]
    return Movers(by, kind, end - WEEK, end, tuple(shown), len(movers) - len(shown), after.complete_until)


def compared(before: SpendTable, after: SpendTable) -> list[Mover]:
    """Every key of the two, in each currency for itself, largest change first; what did not change is left out."""
    earlier, later = ({(row.key[0], row.currency): row.effective for row in it.rows} for it in (before, after))
    keys = dict.fromkeys([*earlier, *later])
    movers = [Mover(*key, earlier.get(key), later.get(key)) for key in keys]
    changed = [mover for mover in movers if mover.change]
    return sorted(changed, key=lambda mover: (-abs(mover.change), mover.key or "", mover.currency))


def _currencies(movers: Sequence[Mover]) -> list[str]:
    return sorted({mover.currency for mover in movers})


def _largest(movers: Sequence[Mover], currency: str) -> list[Mover]:
    return [mover for mover in movers if mover.currency == currency][:SHOWN]
