"""Two answers of a cost ledger as lines, for each currency."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.spend import Ledger, SpendQuestion, SpendRow, SpendTable
from controlplane.ports import CostLedger
from finops.allocation.exact import total
from finops.explain.decomposing import explained
from finops.explain.model import Drivers, Explanation, Line
from finops.explain.quantities import Quantities

CATEGORY: Final = "category"
USAGE: Final = "Usage"
ITEMS: Final[Mapping[Ledger, tuple[str, ...]]] = {
    Ledger.BILLED: ("sku", CATEGORY),
    Ledger.ESTIMATED: (names.PRICE, names.RESOURCE, names.MODEL),
}
"""What a group's spend is made of, by ledger: dimensions in which an item has one unit and one price."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods, half-open, aware UTC: what is explained is `before` → `after`."""

    start: datetime
    end: datetime
    against_start: datetime
    against_end: datetime

    @staticmethod
    def of(start: datetime, end: datetime, against: datetime | None = None) -> "Periods":
        """`start` … `end` against as long a time that begins `against`, or that ends at `start`."""
        begin = against if against is not None else start - (end - start)
        return Periods(start, end, begin, begin + (end - start))

    @property
    def length(self) -> timedelta:
        """Of each of them."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: `by` are the groups, `where` selects as in a `SpendQuestion`."""

    periods: Periods
    ledger: Ledger
    by: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    cost: str = "effective"

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those of the groups, then those of an item."""
        return (*self.by, *(name for name in ITEMS[self.ledger] if name not in self.by))


@dataclass(frozen=True, slots=True)
class Tables:
    """What the ledger said of both periods, and how far it goes.

    `quantities` are those of both periods that the ledger itself does not have: of live estimates.
    """

    asked: Asked
    before: SpendTable
    after: SpendTable
    quantities: tuple[Quantities, Quantities] = ({}, {})

    @property
    def items(self) -> tuple[str, ...]:
        """The dimensions of an item, those of the groups aside."""
        return self.asked.dimensions[len(self.asked.by) :]


def fetch_tables(ledger: CostLedger, asked: Asked) -> Tables:
    """Ask about both periods. Raises what the ledger raises."""
    by = asked.dimensions
    periods = asked.periods
    before = ledger.spend(SpendQuestion(periods.against_start, periods.against_end, by, asked.where))
    after = ledger.spend(SpendQuestion(periods.start, periods.end, by, asked.where))
    return Tables(asked, before, after)


def explanations(tables: Tables, drivers: Drivers | None = None) -> tuple[Explanation, ...]:
    """An explanation for each currency, in their order; none where neither period has a row."""
    before, after = (_lines(tables, period) for period in (0, 1))
    return tuple(
        explained(before.get(currency, ()), after.get(currency, ()), currency=currency, drivers=drivers)
        for currency in sorted({*before, *after})
    )


def _lines(tables: Tables, period: int) -> Mapping[str, Sequence[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for row in (tables.before, tables.after)[period].rows:
        found[row.currency].append(_line(row, tables, tables.quantities[period]))
    return found


def _line(row: SpendRow, tables: Tables, quantities: Quantities) -> Line:
    """Only usage has a quantity that a price could be told of: a purchase's or a credit's is not consumed."""
    groups = len(tables.asked.by)
    by = tables.asked.dimensions
    category = row.key[by.index(CATEGORY)] if CATEGORY in by else USAGE
    is_usage = category in (USAGE, None)
    quantity, unit = quantities.get(row.key, (row.quantity, row.unit))
    return Line(
        group=row.key[:groups],
        item=row.key[groups:],
        cost=row.billed if tables.asked.cost == "billed" else row.effective,
        quantity=quantity if is_usage else None,
        unit=unit if is_usage and quantity is not None else None,
    )


def without_quantity(found: Explanation) -> Decimal:
    """What items without a quantity cost after: taxes, credits, purchases, and usage that nobody counted."""
    return total(mover.after for mover in found.items if mover.quantity_after is None and mover.after)
