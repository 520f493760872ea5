"""Money that nobody has given to those who used what it paid for, day by day and to the last digit."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from exporters.unit_cost.history import DailyAmount, Group
from finops.allocation.exact import split, total

_NOBODY: Group = (None,)


def spread_daily(money: Sequence[DailyAmount], weights: Sequence[DailyAmount]) -> tuple[DailyAmount, ...]:
    """What has no group goes to the groups of its day in proportion to their weights of that day.

    On a day without weights nothing of any group counts: it would look cheaper than it was. Its money keeps no group.
    The sum of each day stays what it was.
    """
    days: dict[str, list[DailyAmount]] = defaultdict(list)
    for each in money:
        days[each.day].append(each)
    uses: dict[str, dict[Group, Decimal]] = defaultdict(dict)
    for each in weights:
        if each.group != _NOBODY:
            uses[each.day][each.group] = total((uses[each.day].get(each.group, Decimal(0)), each.amount))
    return tuple(amount for day in sorted(days) for amount in _spread(day, days[day], uses[day]))


def _spread(day: str, money: Sequence[DailyAmount], uses: dict[Group, Decimal]) -> list[DailyAmount]:
    own = [each for each in money if each.group != _NOBODY]
    shared = total(each.amount for each in money if each.group == _NOBODY)
    if not shared:
        return own
    groups = sorted((group for group, weight in uses.items() if weight), key=str)
    if not groups:
        return [DailyAmount(day, _NOBODY, total(each.amount for each in money))]
    parts = split(shared, [uses[group] for group in groups])
    return [*own, *(DailyAmount(day, group, part) for group, part in zip(groups, parts, strict=True))]
