"""What meters, quotas and contracts say, as values. Names are unique among those of one kind."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from controlplane.model.source import SourcePosition
from controlplane.model.usage import Aggregation

Path = tuple[str, ...]  # keys, from the event's `data` on


class Rounding(Enum):
    """How a line's one rounding goes, when the value lies between two that can be written."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` of money for `per` units; a line's amount has `decimals`."""

    amount: Decimal
    per: Decimal
    currency: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Billing:
    """How a month's quantity becomes a line. `decimals` round the quantity, only where there is no price."""

    free: Decimal = Decimal(0)
    rounding: Rounding = Rounding.HALF_UP
    decimals: int | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """Which events are counted, and how. `tenant` is empty where the event's subject names the tenant.

    `value` is where the quantity stands (what UNIQUE tells apart); empty for COUNT. `dimensions` are sorted by label.
    """

    name: str
    event_type: str
    aggregation: Aggregation
    unit: str
    value: Path = ()
    tenant: Path = ()
    only_contracts: bool = False
    dimensions: tuple[tuple[str, Path], ...] = ()
    billing: Billing = Billing()
    display_name: str = ""
    source: SourcePosition | None = field(default=None, compare=False)


class QuotaPeriod(Enum):
    """Days and months of UTC."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a tenant may use by a meter in a period; no `tenants` means each. `thresholds` are ascending shares."""

    name: str
    meter: str
    tenants: frozenset[str]
    limit: Decimal
    period: QuotaPeriod
    thresholds: tuple[Decimal, ...]
    source: SourcePosition | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Fee:
    """What credits are a share of: a fixed amount, with `usage` also the month's usage lines in its currency."""

    amount: Decimal
    currency: str
    usage: bool = False
    decimals: int = 2
    rounding: Rounding = Rounding.HALF_UP


@dataclass(frozen=True, slots=True)
class CreditStep:
    """Who achieved less than `below` gets `percent` of the fee back."""

    below: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Contract:
    """What tenants were promised. `credits` are sorted, the highest threshold first; the lowest one broken counts."""

    name: str
    tenants: tuple[str, ...]
    slo: str
    group_by: str
    credits: tuple[CreditStep, ...]
    fee: Fee
    cap: Decimal = Decimal(100)
    maintenance_counts: bool = False
    minimum_coverage: Decimal = Decimal("0.95")
    source: SourcePosition | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class UsageTerms:
    """Everything declared, each sorted by name."""

    meters: tuple[Meter, ...] = ()
    quotas: tuple[Quota, ...] = ()
    contracts: tuple[Contract, ...] = ()

    @property
    def contracted(self) -> frozenset[str]:
        """Tenants that a contract names."""
        return frozenset(tenant for contract in self.contracts for tenant in contract.tenants)

    def meter(self, name: str) -> Meter | None:
        """The meter of this name."""
        return next((meter for meter in self.meters if meter.name == name), None)
