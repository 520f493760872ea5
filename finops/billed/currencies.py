"""Sums in one currency: by dated rates, and only by those; every rate that was used is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from typing import Final

from controlplane.model.spend import DAY, SpendQuestion, SpendRow, SpendTable
from finops.billed.model import ExchangeRates

_EXACT: Final = Context(prec=120)  # a sum of 38 digits times a rate of 60 is not rounded


@dataclass(frozen=True, slots=True)
class UsedRate:
    """A rate that a sum was converted by, and who published it."""

    source: str
    target: str
    since: date
    rate: Decimal
    cited: str


@dataclass(frozen=True, slots=True)
class MissingRate:
    """A currency that no rate is known for on some days: the first and the last of them."""

    source: str
    target: str
    first: date
    last: date

    def __str__(self) -> str:
        days = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"no rate from {self.source} to {self.target} for {days}"


@dataclass(frozen=True, slots=True)
class Converted:
    """A table in one currency; with something `missing` it is empty, for a sum without it would be wrong."""

    table: SpendTable
    used: tuple[UsedRate, ...] = ()
    missing: tuple[MissingRate, ...] = ()


def daily(question: SpendQuestion) -> SpendQuestion:
    """The question whose answer `converted` needs: a rate holds for days."""
    return question if DAY in question.by else replace(question, by=(*question.by, DAY))


def converted(table: SpendTable, question: SpendQuestion, currency: str, rates: Sequence[ExchangeRates]) -> Converted:
    """The answer to `daily(question)` in one currency, summed up as `question` asks.

    A rate holds from its day until the next one of the same two currencies; rates are used as they are published, not
    turned around. Amounts are exact products.
    """
    place = table.by.index(DAY)
    keeps_day = DAY in question.by
    used: dict[tuple[str, date], UsedRate] = {}
    missing: dict[str, list[date]] = {}
    sums: dict[tuple[str | None, ...], SpendRow] = {}
    for row in table.rows:
        day = date.fromisoformat(str(row.key[place])[:10])
        rate = _rate_on(day, row.currency, currency, rates)
        if rate is None:
            missing.setdefault(row.currency, []).append(day)
            continue
        if row.currency != currency:
            used[(rate.source, rate.since)] = rate
        key = row.key if keeps_day else (*row.key[:place], *row.key[place + 1 :])
        sums[key] = _added(sums.get(key), _in(row, key, currency, rate.rate))
    if missing:
        gaps = tuple(MissingRate(source, currency, min(days), max(days)) for source, days in sorted(missing.items()))
        return Converted(SpendTable(question.by, (), table.complete_until), missing=gaps)
    rows = tuple(sums[key] for key in sorted(sums, key=_order))
    told = tuple(used[key] for key in sorted(used))
    return Converted(SpendTable(question.by, rows, table.complete_until), told)


def _rate_on(day: date, source: str, target: str, rates: Sequence[ExchangeRates]) -> UsedRate | None:
    if source == target:
        return UsedRate(source, target, day, Decimal(1), "")
    best: UsedRate | None = None
    for table in rates:
        for each in table.rates:
            fits = each.source == source and each.target == target and each.since <= day
            if fits and (best is None or each.since > best.since):
                best = UsedRate(source, target, each.since, each.rate, table.cited)
    return best


def _in(row: SpendRow, key: tuple[str | None, ...], currency: str, rate: Decimal) -> SpendRow:
    times = _EXACT.multiply
    return replace(
        row,
        key=key,
        currency=currency,
        effective=times(row.effective, rate),
        billed=times(row.billed, rate),
        list_cost=None if row.list_cost is None else times(row.list_cost, rate),
    )


def _added(before: SpendRow | None, row: SpendRow) -> SpendRow:
    if before is None:
        return row
    plus = _EXACT.add
    same_unit = before.unit == row.unit and before.quantity is not None and row.quantity is not None
    both_listed = before.list_cost is not None and row.list_cost is not None
    return replace(
        before,
        effective=plus(before.effective, row.effective),
        billed=plus(before.billed, row.billed),
        list_cost=plus(before.list_cost, row.list_cost) if both_listed else None,  # type: ignore[arg-type]
        quantity=plus(before.quantity, row.quantity) if same_unit else None,  # type: ignore[arg-type]
        unit=before.unit if same_unit else None,
        rows=before.rows + row.rows,
    )


def _order(key: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((part is not None, part or "") for part in key)
