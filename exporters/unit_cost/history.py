"""Unit costs of the past: a ledger's money over units counted day by day, the same days for both."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from controlplane.model.series import Series
from controlplane.model.spend import DAY, SpendTable

Group = tuple[str | None, ...]
"""A value for each label of the split, None where there is none."""

_EXACT = Context(prec=200)
_QUOTIENT = Context(prec=28)


@dataclass(frozen=True, slots=True)
class DailyAmount:
    """Money or units of one UTC day and group; `day` is its begin as ledgers write it, `2026-11-01T00:00:00Z`."""

    day: str
    group: Group
    amount: Decimal


@dataclass(frozen=True, slots=True)
class UnitCostRow:
    """What so many units cost one group. `days` are those of which money and units are known: only they count.

    `value` is the money for `per` units, None without units; it is rounded to 28 digits, the sums are exact.
    `uncounted` is money of days without known units, `unpaid` units of days without known money.
    """

    group: Group
    days: int
    cost: Decimal
    units: Decimal
    value: Decimal | None
    uncounted: Decimal = Decimal(0)
    unpaid: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DailyRow:
    """One day of one group; None is unknown."""

    day: str
    group: Group
    cost: Decimal | None
    units: Decimal | None
    value: Decimal | None


def daily_money(table: SpendTable, by: Sequence[str], currency: str) -> tuple[DailyAmount, ...]:
    """The effective cost in one currency, from an answer that is split by day and by these labels."""
    at, when = [table.by.index(name) for name in by], table.by.index(DAY)
    return tuple(
        DailyAmount(row.key[when] or "", tuple(row.key[each] for each in at), row.effective)
        for row in table.rows
        if row.currency == currency
    )


def daily_units(series: Iterable[Series], by: Sequence[str]) -> tuple[DailyAmount, ...]:
    """From points that each say how many units a day had, at that day's end. NaN and infinite values are missing."""
    found = []
    for each in series:
        group = tuple(each.labels.get(label) or None for label in by)
        for at, value in each.points:
            if 0 <= value < float("inf"):
                day = (at - timedelta(microseconds=1)).astimezone(UTC)
                found.append(DailyAmount(f"{day:%Y-%m-%dT00:00:00Z}", group, Decimal(repr(value))))
    return tuple(found)


def unit_costs(money: Sequence[DailyAmount], units: Sequence[DailyAmount], per: Decimal) -> tuple[UnitCostRow, ...]:
    """A row for each group, in the order of the groups. Amounts of the same day and group add up.

    A day without units that were counted (a zero) counts with its cost; a day of which either is unknown counts for
    neither, and is told in `uncounted` and `unpaid`.
    """
    paid, counted = _sums(money), _sums(units)
    found = []
    for group in sorted({key[1] for key in (*paid, *counted)}, key=_order):
        own = {key for key in paid if key[1] == group}
        both = own & counted.keys()
        cost, count = _total(paid, both), _total(counted, both)
        unpaid = {key for key in counted if key[1] == group} - own
        value = ratio(cost, count, per)
        uncounted = _total(paid, own - both)
        found.append(UnitCostRow(group, len(both), cost, count, value, uncounted, _total(counted, unpaid)))
    return tuple(found)


def by_day(money: Sequence[DailyAmount], units: Sequence[DailyAmount], per: Decimal) -> tuple[DailyRow, ...]:
    """The same day by day, in the order of days and groups."""
    paid, counted = _sums(money), _sums(units)
    rows = []
    for key in sorted(paid.keys() | counted.keys(), key=lambda each: (each[0], _order(each[1]))):
        cost, count = paid.get(key), counted.get(key)
        value = ratio(cost, count, per) if cost is not None and count is not None else None
        rows.append(DailyRow(*key, cost, count, value))
    return tuple(rows)


def ratio(cost: Decimal, units: Decimal, per: Decimal) -> Decimal | None:
    """Money for `per` units; None without units."""
    return _QUOTIENT.divide(_EXACT.multiply(cost, per), units) if units > 0 else None


def comparable_until(known: datetime | None, start: datetime, end: datetime) -> datetime:
    """The end of the last whole UTC day within [`start`, `end`) that a ledger knows; `start` when it knows none.

    What lies after it is missing, not free, so it is not compared. `known` is the ledger's `complete_until`.
    """
    if known is None:
        return start
    utc = min(known, end).astimezone(UTC)
    return max(utc.replace(hour=0, minute=0, second=0, microsecond=0), start)


def _sums(amounts: Sequence[DailyAmount]) -> dict[tuple[str, Group], Decimal]:
    found: dict[tuple[str, Group], Decimal] = defaultdict(Decimal)
    for each in amounts:
        key = each.day, each.group
        found[key] = _EXACT.add(found[key], each.amount)
    return dict(found)


def _total(sums: Mapping[tuple[str, Group], Decimal], keys: Iterable[tuple[str, Group]]) -> Decimal:
    result = Decimal(0)
    for key in keys:
        result = _EXACT.add(result, sums[key])
    return result


def _order(group: Group) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, value or "") for value in group)
