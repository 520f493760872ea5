"""What a deployment did to one error budget or unit cost. Absent values are None; numbers have 12 digits."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum


class Subject(Enum):
    """What an effect is about; values as in `StoredEffect.subject`."""

    SLO = "slo"
    UNIT_COST = "unit_cost"
    NONE = "none"  # nothing is recorded of the service


class State(Enum):
    """How far it is; values as in `StoredEffect.state`. A deployment without effects in the store waits, too."""

    WAITING = "waiting"
    MEASURED = "measured"
    UNKNOWN = "unknown"


class ConfounderKind(Enum):
    """What else happened, so that the effect may be another one's."""

    DEPLOYMENT = "deployment"  # of the same service, so near that a window was cut
    TOGETHER = "together"  # of other services, by the same run
    INCIDENT = "incident"  # went on before the deployment
    TIER = "tier"  # a downshift ladder moved
    EXCLUSION = "exclusion"  # maintenance: events were taken out
    PAST = "past"  # too little past for a sound interval


@dataclass(frozen=True, slots=True)
class Confounder:
    """One of them, in words."""

    kind: ConfounderKind
    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with the interval that holds the truth with the policy's confidence."""

    value: Decimal
    lower: Decimal
    upper: Decimal

    @property
    def leaves_out_zero(self) -> bool:
        """Whether it is surely more, or surely less, than nothing."""
        return self.lower > 0 or self.upper < 0


@dataclass(frozen=True, slots=True)
class Spent:
    """All that it cost from the deployment on, for as long as it went on: extra bad events, or extra money.

    `budget` is the same as a share of the period's error budget (1: all of it); None for money, and where the budget
    is not known. `ended_by` is the deployment or rollback that ended it; empty: nothing did, and it was as before from
    `until` on, or a day was over. Where nothing became measurably worse it is what the window after shows. `is_final`:
    more time changes nothing.
    """

    until: datetime
    extra: Amount
    budget: Amount | None
    ended_by: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured.

    `before`, `after`, `expected`: shares of bad events, or money for the unit cost's `per` units; `expected` is what
    the time after would have shown without the deployment. `change`: after − expected of an SLO (a ratio), after ÷
    expected − 1 of a unit cost. `extra`: bad events, or money, of the window after. `per_hour`: the share of the
    period's error budget that it costs in an hour (None: the budget is not known), or money an hour.
    `method` and `pasts` say what the interval rests on (`estimating.Method`).
    """

    before: Decimal
    after: Decimal
    expected: Amount
    change: Amount
    extra: Amount
    per_hour: Amount | None
    spent: Spent
    before_start: datetime
    before_end: datetime
    after_start: datetime
    after_end: datetime
    method: str
    pasts: int
    confidence: Decimal = Decimal("0.95")


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one deployment on one subject; `figures` only when it is measured, `reason` only when it is unknown.

    `period` is that of the error budget (`30d`), `currency` and `per` (`1000 ingested events`) are a unit cost's.
    """

    deployment: str
    service: str
    environment: str
    at: datetime
    version: str
    subject: Subject
    name: str
    state: State
    reason: str = ""
    figures: Figures | None = None
    confounders: tuple[Confounder, ...] = ()
    period: str = ""
    currency: str = ""
    per: str = ""
    url: str = ""

    @property
    def is_measurable(self) -> bool:
        """Whether the interval leaves out "no effect"."""
        return self.figures is not None and self.figures.change.leaves_out_zero

    @property
    def is_open(self) -> bool:
        """Whether what it cost in all is still growing."""
        return self.figures is not None and not self.figures.spent.is_final
