"""Estimate and bill side by side, for reports: by any split that both were asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.spend import SpendTable
from finops.pricing.model import BilledNames

_DIGITS: Final = 28
_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class BothRow:
    """One split in one currency. None where a ledger knows nothing of it, which is not zero.

    `difference` is billed − estimated, `ratio` billed ÷ estimated; both None unless both are known.
    """

    key: tuple[str | None, ...]
    currency: str
    estimated: Decimal | None
    billed: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """Billed − estimated."""
        return None if self.estimated is None or self.billed is None else exact.subtract(self.billed, self.estimated)

    @property
    def ratio(self) -> Decimal | None:
        """Billed ÷ estimated, to six places; None also where nothing was estimated."""
        if not self.estimated or self.billed is None:
            return None
        with localcontext() as context:
            context.prec = _DIGITS
            return (self.billed / self.estimated).quantize(_PLACES)


@dataclass(frozen=True, slots=True)
class BothLedgers:
    """Rows in the order of their keys, and up to when each ledger knows anything."""

    by: tuple[str, ...]
    rows: tuple[BothRow, ...]
    estimated_until: datetime | None = None
    billed_until: datetime | None = None

    def as_json(self) -> JSON:
        """Decimals as text; null where a ledger knows nothing."""
        return {
            "by": list(self.by),
            "estimated_until": _time(self.estimated_until),
            "billed_until": _time(self.billed_until),
            "rows": [
                {
                    "key": list(row.key),
                    "currency": row.currency,
                    "estimated": _text(row.estimated),
                    "billed": _text(row.billed),
                    "difference": _text(row.difference),
                    "ratio": _text(row.ratio),
                }
                for row in self.rows
            ],
        }


def both_ledgers(estimated: SpendTable, billed: SpendTable, called: Sequence[BilledNames] = ()) -> BothLedgers:
    """Two answers to the same question joined by key and currency; of the bill its effective cost.

    `called` are the bill's names of our services, from the price maps: rows of the bill come under ours.
    """
    ours = {theirs: service for each in called for service, names in each.services for theirs in names}
    sums: dict[tuple[tuple[str | None, ...], str], list[Decimal | None]] = {}
    for index, table in enumerate((estimated, billed)):
        for row in table.rows:
            key = tuple(
                ours.get(part, part) if index == 1 and name == "service" and part else part
                for name, part in zip(estimated.by, row.key, strict=True)
            )
            values = sums.setdefault((key, row.currency), [None, None])
            values[index] = exact.add(values[index] or Decimal(0), row.effective)
    rows = tuple(BothRow(key, currency, *sums[key, currency]) for key, currency in sorted(sums, key=_order))
    return BothLedgers(estimated.by, rows, estimated.complete_until, billed.complete_until)


def days_apart(estimated: SpendTable, billed: SpendTable) -> str:
    """What to say when two answers by day are of different days; empty where they are of the same."""
    ours, theirs = (sorted({row.key[0][:10] for row in table.rows if row.key[0]}) for table in (estimated, billed))
    if ours == theirs:
        return ""
    return (
        f"Not the same days: the estimate has {_days(ours)}, the bills have {_days(theirs)}. "
        "A difference is like for like only between --from and --to that both have."
    )


def _days(days: Sequence[str]) -> str:
    return f"{len(days)} ({days[0]} to {days[-1]})" if days else "none"


def _order(each: tuple[tuple[str | None, ...], str]) -> tuple[str, list[tuple[bool, str]]]:
    return each[1], [(part is None, part or "") for part in each[0]]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
