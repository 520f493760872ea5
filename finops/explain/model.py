"""Two periods of spend, and their difference as effects."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Final

from finops.allocation.exact import total

Key = tuple[str | None, ...]
NOTHING: Final = Decimal(0)


def difference(after: Decimal, before: Decimal) -> Decimal:
    """`after` less `before`, exactly; a minus sign alone would round to the context's digits."""
    return total((after, before.copy_negate()))


@dataclass(frozen=True, slots=True)
class Line:
    """What one item cost in one period. `group` is whose it is (a service, a tenant), `item` what was bought.

    `quantity` of `unit` was consumed; None where that is not known, or makes no sense: taxes, credits, purchases.
    """

    group: Key
    item: Key
    cost: Decimal
    quantity: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Drivers:
    """What spend is for: requests, events, rows. Units of both periods, for values of some of the group's dimensions.

    `dimensions` are positions in a group's key; none of them means that one number drives everything. `name` is shown.
    """

    name: str = ""
    dimensions: tuple[int, ...] = ()
    units: Mapping[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def of(self, group: Key) -> tuple[Decimal, Decimal] | None:
        """Units before and after; None where they are unknown, or nothing happened in one of the periods."""
        found = self.units.get(tuple(group[at] for at in self.dimensions))
        return found if found and min(found) > 0 else None


@dataclass(frozen=True, slots=True)
class Effects:
    """Parts of a change of cost; their sum is the change, exactly.

    `volume`: more or fewer driver units, such as requests. `efficiency`: more or fewer resource units for each of them.
    `usage`: both together, where no driver is known. `mix`: dearer or cheaper items of what a group consumes in one
    unit. `price`: what an item costs for each unit. `new` and `gone`: of a unit that a group consumed in one of the
    periods only. `other`: without a quantity: taxes, credits, purchases.
    """

    volume: Decimal = NOTHING
    efficiency: Decimal = NOTHING
    usage: Decimal = NOTHING
    mix: Decimal = NOTHING
    price: Decimal = NOTHING
    new: Decimal = NOTHING
    gone: Decimal = NOTHING
    other: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        """The change."""
        return total(self.by_name().values())

    def by_name(self) -> dict[str, Decimal]:
        """Every effect, in the order in which they are told."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Mover:
    """What one item, or a group as a whole (`item` is None then), cost before and after."""

    group: Key
    item: Key | None
    before: Decimal
    after: Decimal
    effects: Effects
    unit: str | None = None
    quantity_before: Decimal | None = None
    quantity_after: Decimal | None = None

    @property
    def change(self) -> Decimal:
        """After less before, exactly."""
        return difference(self.after, self.before)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The change in one currency. `items` and `groups` both add up to `effects`; largest change first."""

    currency: str
    before: Decimal
    after: Decimal
    effects: Effects
    groups: tuple[Mover, ...]
    items: tuple[Mover, ...]
    driver: str = ""
    undriven: tuple[Key, ...] = ()  # groups whose driver is not known, so that volume and efficiency are told as usage

    @property
    def change(self) -> Decimal:
        """After less before, exactly."""
        return difference(self.after, self.before)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed on purpose: a deployment, a flag, a tier, rules."""

    at: datetime
    kind: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A request that an exemplar points to, by its trace id."""

    service: str
    trace_id: str
    at: datetime
    value: float
    metric: str = ""
