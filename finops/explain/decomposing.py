"""A change of cost as volume × efficiency × mix × price.

In each pool (what a group consumes in one unit) an item costs Q · S · P: resource units of the pool, the item's share
of them, and its unit price; and Q = D · E: driver units, and resource units for each of them. The change of the product
is divided by the Shapley value over Q, S and P: the mean of what a factor contributes over all orders in which they
could have changed; and the part of Q by the Shapley value over D and E (together: the Owen value for the coalition of D
and E). It depends on no order, leaves nothing over, turns its sign when the periods change places, and mix and price
are the same whether or not a driver is known. Classical price-volume-mix analysis changes the factors in one fixed
order instead, which books whatever two factors did together on the later one.

Sources: Shapley 1953; Owen 1977, "Values of games with a priori unions"; for decomposing change Sun 1998 and Albrecht,
François & Schors 2002, "A Shapley decomposition of carbon emissions without residuals".

Everything is computed in fractions. An item's effects are then rounded to 12 decimal places, or to as many as its costs
have, and what rounding left over goes to its largest effect (of equal ones the first in the order of `Effects`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Final

from finops.allocation.exact import PLACES, total
from finops.explain.model import NOTHING, Drivers, Effects, Explanation, Key, Line, Mover, difference

_DRIVEN: Final = ("volume", "efficiency", "mix", "price")
_UNDRIVEN: Final = ("usage", "mix", "price")
_Pool = tuple[Key, str | None]


@dataclass(slots=True)
class _Item:
    """Lines of one item, before and after. `is_complete` while every line that costs has a quantity above 0."""

    group: Key
    item: Key
    costs: tuple[list[Decimal], list[Decimal]] = field(default_factory=lambda: ([], []))
    quantities: tuple[list[Decimal], list[Decimal]] = field(default_factory=lambda: ([], []))
    units: set[str | None] = field(default_factory=set)
    is_complete: bool = True

    @property
    def is_counted(self) -> bool:
        """Whether quantities, of one unit, say what was consumed in both periods."""
        return self.is_complete and len(self.units) == 1

    @property
    def unit(self) -> str | None:
        """Of the quantities."""
        return next(iter(self.units)) if self.is_counted else None

    @property
    def before(self) -> Decimal:
        return total(self.costs[0])

    @property
    def after(self) -> Decimal:
        return total(self.costs[1])


def explained(
    before: Iterable[Line], after: Iterable[Line], *, currency: str = "", drivers: Drivers | None = None
) -> Explanation:
    """The change from `before` to `after`, all in one currency, as effects that add up to it exactly.

    An item whose lines have no quantity above zero in either period, or several units, goes to `other` as a whole.
    An item that is new (or gone) in a pool that there was before is a change of mix, at the price that it has where it
    exists; a pool that is new is `new`.
    """
    drivers = drivers or Drivers()
    items = list(_items(before, after).values())
    pools = _pools(items)
    movers = tuple(_largest_first(_mover(item, pools, drivers) for item in items))
    groups = tuple(_largest_first(_by_group(movers)))
    with_usage = dict.fromkeys(mover.group for mover in movers if mover.effects.usage)
    return Explanation(
        currency=currency,
        before=total(mover.before for mover in movers),
        after=total(mover.after for mover in movers),
        effects=_sum_of(movers),
        groups=groups,
        items=movers,
        driver=drivers.name,
        undriven=tuple(with_usage),
    )


def _items(before: Iterable[Line], after: Iterable[Line]) -> dict[tuple[Key, Key], _Item]:
    found: dict[tuple[Key, Key], _Item] = {}
    for period, lines in enumerate((before, after)):
        for line in lines:
            item = found.setdefault((line.group, line.item), _Item(line.group, line.item))
            item.costs[period].append(line.cost)
            if line.quantity is not None and line.quantity > 0:
                item.quantities[period].append(line.quantity)
                item.units.add(line.unit)
            elif line.cost or line.quantity:
                item.is_complete = False
    return found


def _pools(items: Iterable[_Item]) -> Mapping[_Pool, tuple[Fraction, Fraction]]:
    """Resource units of each pool, before and after."""
    found: dict[_Pool, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for item in items:
        if item.is_counted:
            for period in (0, 1):
                found[item.group, item.unit][period] += Fraction(total(item.quantities[period]))
    return {pool: (sums[0], sums[1]) for pool, sums in found.items()}


def _mover(item: _Item, pools: Mapping[_Pool, tuple[Fraction, Fraction]], drivers: Drivers) -> Mover:
    quantities = tuple(total(each) if each else None for each in item.quantities) if item.is_counted else (None, None)
    return Mover(
        group=item.group,
        item=item.item,
        before=item.before,
        after=item.after,
        effects=_effects(item, pools.get((item.group, item.unit), (Fraction(0), Fraction(0))), drivers.of(item.group)),
        unit=item.unit,
        quantity_before=quantities[0],
        quantity_after=quantities[1],
    )


def _effects(item: _Item, pool: tuple[Fraction, Fraction], driver: tuple[Decimal, Decimal] | None) -> Effects:
    change = difference(item.after, item.before)
    if not item.is_counted:
        return Effects(other=change)
    if not pool[0] or not pool[1]:
        return Effects(gone=change) if pool[0] else Effects(new=change)
    bought = tuple(Fraction(total(each)) for each in item.quantities)
    prices = _prices((Fraction(item.before), Fraction(item.after)), bought)
    shares = [bought[period] / pool[period] for period in (0, 1)]
    weights = contributions(*((pool[at], shares[at], prices[at]) for at in (0, 1)))
    quantity = [pool[1] - pool[0]]
    if driver is not None:
        units = [Fraction(each) for each in driver]
        quantity = shapley(*((units[at], pool[at] / units[at]) for at in (0, 1)))
    parts = [
        *(part * weights[0] for part in quantity),
        (shares[1] - shares[0]) * weights[1],
        (prices[1] - prices[0]) * weights[2],
    ]
    names = _UNDRIVEN if driver is None else _DRIVEN
    places = max(PLACES, *(_places(cost) for costs in item.costs for cost in costs), 0)
    return Effects(**dict(zip(names, rounded(parts, change, places), strict=True)))


def _prices(costs: Sequence[Fraction], bought: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Of each unit; where nothing was bought, what it costs in the other period."""
    known = [cost / quantity if quantity else None for cost, quantity in zip(costs, bought, strict=True)]
    first, second = known
    fallback = Fraction(0)
    return (
        first if first is not None else second if second is not None else fallback,
        second if second is not None else first if first is not None else fallback,
    )


def shapley(before: Sequence[Fraction], after: Sequence[Fraction]) -> list[Fraction]:
    """What each factor adds to the change of their product: the mean over every order of changing them."""
    weights = contributions(before, after)
    return [(new - old) * weight for old, new, weight in zip(before, after, weights, strict=True)]


def contributions(before: Sequence[Fraction], after: Sequence[Fraction]) -> list[Fraction]:
    """What a change of each factor by one adds to their product: the mean over every order of changing the others."""
    count = len(before)
    found = []
    for factor in range(count):
        others = [at for at in range(count) if at != factor]
        contribution = Fraction(0)
        for size in range(count):
            weight = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            products = (_product(before, after, others, set(changed)) for changed in combinations(others, size))
            contribution += weight * sum(products, Fraction(0))
        found.append(contribution)
    return found


def _product(
    before: Sequence[Fraction], after: Sequence[Fraction], others: Sequence[int], changed: set[int]
) -> Fraction:
    product = Fraction(1)
    for at in others:
        product *= after[at] if at in changed else before[at]
    return product


def rounded(parts: Sequence[Fraction], whole: Decimal, places: int) -> list[Decimal]:
    """The parts with so many decimal places; what is left over of `whole` goes to the largest, the first of equals."""
    scale = 10**places
    found = [_decimal(round(part * scale), places) for part in parts]
    largest = max(range(len(parts)), key=lambda at: (abs(parts[at]), -at))
    rest = difference(whole, total(each for at, each in enumerate(found) if at != largest))
    found[largest] = rest
    return found


def _decimal(units: int, places: int) -> Decimal:
    return Decimal((int(units < 0), tuple(map(int, str(abs(units)))), -places)) if units else NOTHING


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _by_group(movers: Iterable[Mover]) -> Iterator[Mover]:
    groups: dict[Key, list[Mover]] = defaultdict(list)
    for mover in movers:
        groups[mover.group].append(mover)
    for group, members in groups.items():
        yield Mover(
            group=group,
            item=None,
            before=total(member.before for member in members),
            after=total(member.after for member in members),
            effects=_sum_of(members),
        )


def _sum_of(movers: Sequence[Mover]) -> Effects:
    names = Effects().by_name()
    return Effects(**{name: total(mover.effects.by_name()[name] for mover in movers) for name in names})


def _largest_first(movers: Iterable[Mover]) -> list[Mover]:
    return sorted(
        movers, key=lambda mover: (-abs(mover.change), _sortable((*mover.group, *(mover.item or ()), mover.unit)))
    )


def _sortable(key: Key) -> tuple[tuple[bool, str], ...]:
    return tuple((part is not None, part or "") for part in key)
