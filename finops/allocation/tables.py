"""Plain tables of cost and weights: what allocation takes and gives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from controlplane.model.spend import SpendTable
from finops.allocation.exact import total
from finops.allocation.model import CostKind, Figure

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CostRow:
    """One cost. `key` holds a value for each of the table's columns, None where the cost has none."""

    key: Key
    currency: str
    cost: Decimal


@dataclass(frozen=True, slots=True)
class CostTable:
    """Costs by `columns` (dimensions, one of which may be the period). Rows may repeat a key: they add up."""

    columns: tuple[str, ...]
    rows: tuple[CostRow, ...]

    @staticmethod
    def of(spend: SpendTable, figure: Figure) -> "CostTable":
        """One of the two figures of a ledger's answer."""
        amounts = (
            CostRow(row.key, row.currency, row.effective if figure is Figure.EFFECTIVE else row.billed)
            for row in spend.rows
        )
        return CostTable(spend.by, tuple(amounts))

    @staticmethod
    def from_records(records: Iterable[Mapping[str, object]], columns: Sequence[str]) -> "CostTable":
        """From mappings of column to value, with `currency` and `cost`: rows of Spark, of a CSV file, of JSON."""
        rows = (
            CostRow(
                tuple(_text(record.get(column)) for column in columns),
                str(record["currency"]),
                Decimal(str(record["cost"])),
            )
            for record in records
        )
        return CostTable(tuple(columns), tuple(rows))


@dataclass(frozen=True, slots=True)
class UsageWeight:
    """How much of a usage one target had in one period; `period` None holds for every period."""

    target: str
    weight: Decimal
    period: str | None = None


Weights = Mapping[str, Sequence[UsageWeight]]
"""Weights by the name of the usage. Several for the same target and period add up; none may be negative."""


@dataclass(frozen=True, slots=True)
class AllocatedRow:
    """One cost after all steps. `step` is the last one that gave it, `kind` what the first one said it is.

    Without them nobody spread it: it is where the ledger has it.
    """

    key: Key
    currency: str
    cost: Decimal
    step: str = ""
    kind: CostKind | None = None


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What one step did in one period and currency.

    `taken` is what fitted its selection, `given` what it spread of it; the rest stays where it was, because of
    `reason`. `weights` are those of the targets that may get some, in the order of their names.
    """

    step: str
    period: str | None
    currency: str
    taken: Decimal
    given: Decimal
    weights: tuple[tuple[str, Decimal], ...] = ()
    reason: str = ""

    @property
    def left(self) -> Decimal:
        """What it did not spread."""
        return total((self.taken, -self.given))


@dataclass(frozen=True, slots=True)
class AllocatedTable:
    """Costs after all steps, by `columns`; rows in the order of currency, key and step. Sums are those of the input."""

    columns: tuple[str, ...]
    target: str
    rows: tuple[AllocatedRow, ...]
    outcomes: tuple[StepOutcome, ...] = ()

    def target_of(self, row: AllocatedRow) -> str | None:
        """Who bears a row, None when nobody does."""
        return row.key[self.columns.index(self.target)]

    def total(self, currency: str) -> Decimal:
        """Everything, exactly: what was put in."""
        return total(row.cost for row in self.rows if row.currency == currency)

    def unallocated(self, currency: str) -> Decimal:
        """What no target bears."""
        rows = (row for row in self.rows if row.currency == currency and self.target_of(row) is None)
        return total(row.cost for row in rows)

    def records(self) -> list[dict[str, object]]:
        """The rows as mappings of column to value."""
        return [
            {
                **dict(zip(self.columns, row.key, strict=True)),
                "currency": row.currency,
                "cost": row.cost,
                "step": row.step or None,
                "kind": row.kind.value if row.kind else None,
            }
            for row in self.rows
        ]


def row_order(row: AllocatedRow | CostRow) -> tuple[object, ...]:
    """The order of rows: by currency and key, what has no value first, then by step."""
    key = ["" if value is None else f" {value}" for value in row.key]
    if isinstance(row, CostRow):
        return (row.currency, key)
    return (row.currency, key, row.step, row.kind.value if row.kind else "")


def together(tables: Sequence[AllocatedTable]) -> AllocatedTable:
    """Partitions of one table put together; associative, and in any order the same."""
    first = tables[0]
    rows = sorted((row for table in tables for row in table.rows), key=row_order)
    outcomes = sorted((each for table in tables for each in table.outcomes), key=outcome_order)
    return AllocatedTable(first.columns, first.target, tuple(rows), tuple(outcomes))


def outcome_order(outcome: StepOutcome) -> tuple[str, str]:
    """The order of outcomes: by currency and period; sorting is stable, so steps keep theirs."""
    return outcome.currency, outcome.period or ""


def _text(value: object) -> str | None:
    return None if value is None else str(value)
