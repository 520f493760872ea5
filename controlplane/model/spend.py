"""What was spent: a question to a cost ledger, and its answer as a table of exact sums."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Final

DAY: Final = "day"
MONTH: Final = "month"
HOUR: Final = "hour"
TIME_DIMENSIONS: Final = (HOUR, DAY, MONTH)
"""What time is cut into, in UTC; answers carry the begin of each part in ISO 8601 (`2026-11-01T00:00:00Z`)."""


class Ledger(Enum):
    """Where a figure comes from."""

    BILLED = "billed"  # what the provider's files say: late, and exact
    ESTIMATED = "estimated"  # live, from metrics × prices: early, corrected by what was billed


@dataclass(frozen=True, slots=True)
class SpendQuestion:
    """What was spent in `start` … `end` (half-open, aware UTC), split `by` dimensions, of rows that fit `where`.

    Dimensions are `hour`, `day`, `month`; `service`, `provider`, `account`, `region`, `resource`, `sku`, `category`
    (FOCUS ChargeCategory), `commitment` (CommitmentDiscountStatus); and any other name, such as `tenant`, `team`,
    `namespace`, `route` or `connector`: the tag of that name in a billed ledger, the label in an estimated one.
    `where` holds any of several values by dimension; the empty text stands for "has none". With a `unit`, only rows
    whose consumed quantity is in it (FOCUS ConsumedUnit): a provider's storage service bills bytes and requests alike.
    """

    start: datetime
    end: datetime
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SpendRow:
    """One sum. `key` answers the question's `by` in its order; None where the rows have no such tag or label.

    `effective` is amortised (FOCUS EffectiveCost: allocation, unit costs), `billed` what the invoice says (BilledCost);
    an estimated ledger knows one figure and gives it for both. `list_cost` (ListCost) is None where any row has none.
    `quantity` is what was consumed, None unless all rows of the sum share `unit`.
    """

    key: tuple[str | None, ...]
    currency: str
    effective: Decimal
    billed: Decimal
    list_cost: Decimal | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class SpendTable:
    """The answer: rows in the order of their keys, a row for each currency; currencies are never added up.

    `complete_until` is the moment up to which the ledger has data (its latest charge period's end), None when it has
    none: what lies after it is missing, not zero.
    """

    by: tuple[str, ...]
    rows: tuple[SpendRow, ...]
    complete_until: datetime | None = None
