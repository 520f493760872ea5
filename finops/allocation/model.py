"""How cost that belongs to several is spread: ordered steps, each with what it takes and by what key."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from controlplane.model.source import SourcePosition
from controlplane.model.spend import DAY, MONTH

Scope = tuple[tuple[str, tuple[str, ...]], ...]
"""Any of several values by dimension; all dimensions must fit; the empty text stands for "has none"."""


class CostKind(Enum):
    """What a step spreads, as reports name it."""

    SHARED = "shared"
    IDLE = "idle"
    COMMITMENT = "commitment"


class Figure(Enum):
    """Which cost is allocated."""

    EFFECTIVE = "effective"  # amortised: FOCUS EffectiveCost, the one for allocation
    BILLED = "billed"  # as invoiced: FOCUS BilledCost


class Period(Enum):
    """The time within which cost meets weights: what a month's weights say is spread with that month's cost."""

    DAY = DAY
    MONTH = MONTH


@dataclass(frozen=True, slots=True)
class CostKey:
    """In proportion to what each target costs already: `loaded` counts what earlier steps gave it, too.

    Only cost in `where` counts. A target whose cost is negative (credits) has no weight.
    """

    loaded: bool = False
    where: Scope = ()


@dataclass(frozen=True, slots=True)
class UsageKey:
    """In proportion to declared weights, by their name."""

    name: str


@dataclass(frozen=True, slots=True)
class EvenKey:
    """The same for everybody: the step's `targets`, or every target that has a cost in the period and currency."""


@dataclass(frozen=True, slots=True)
class SharesKey:
    """Fixed shares by target; they add up to 1."""

    shares: tuple[tuple[str, Decimal], ...]


Key = CostKey | UsageKey | EvenKey | SharesKey


@dataclass(frozen=True, slots=True)
class Step:
    """Takes what fits `select` and gives it to values of the dimension `over`, by `key`.

    Unless `select` names `over`, only cost is taken that has no value there. `targets` limits who gets any; empty
    means everybody.
    """

    name: str
    kind: CostKind
    select: Scope
    over: str
    key: Key
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromqlUsage:
    """Weights from Prometheus: `query` gives one value for each value of the label `label`, over a day."""

    query: str
    label: str


@dataclass(frozen=True, slots=True)
class CsvUsage:
    """Weights from a file beside the document: columns `target`, `weight`, and `period` where they change."""

    file: str


@dataclass(frozen=True, slots=True)
class QuantityUsage:
    """Weights from the ledger itself: what was consumed (FOCUS ConsumedQuantity) in `where`, by target."""

    where: Scope
    unit: str = ""


UsageSource = PromqlUsage | CsvUsage | QuantityUsage


@dataclass(frozen=True, slots=True)
class CostAllocation:
    """A plan: who bears the cost that nobody caused alone. `name` is unique in a workspace.

    `target` is the dimension to which everything is brought in the end: `tenant`, `team`. What still has no value
    there after the last step is unallocated. `usage` holds the weights' sources by name.
    """

    name: str
    target: str
    steps: tuple[Step, ...]
    source: SourcePosition = field(compare=False)
    usage: tuple[tuple[str, UsageSource], ...] = ()
    figure: Figure = Figure.EFFECTIVE
    period: Period = Period.MONTH
    display_name: str = ""
    description: str = ""
    owner: str = ""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns that a table must have for this plan, the target first; each once."""
        return tuple(dict.fromkeys((self.target, *self._named())))

    def _named(self) -> Iterator[str]:
        for step in self.steps:
            yield step.over
            yield from (dimension for dimension, _ in step.select)
            if isinstance(step.key, CostKey):
                yield from (dimension for dimension, _ in step.key.where)
