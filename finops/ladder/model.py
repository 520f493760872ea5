"""A downshift ladder as declared: its signals, its tiers, and what holds it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.model.source import SourcePosition


class Mode(Enum):
    """How far a ladder may go by itself."""

    SHADOW = "shadow"  # it decides, tells what it would do, and writes nothing
    RECOMMEND = "recommend"  # it asks; every step up wants an approval
    ENFORCE = "enforce"  # it acts


class Measure(Enum):
    """What a signal measures."""

    BURN_RATE = "burnRate"  # spend of a window ÷ what the budget's pace expects of it; 1 spends exactly the budget
    FORECAST = "forecast"  # spend forecast for the end of the budget's window ÷ its amount
    SPENT = "spent"  # spend of the budget's window so far ÷ its amount
    SPIKE = "spike"  # spend of the last hour ÷ the usual one; 0 while it is below the absolute floor
    UNIT_COST = "unitCost"  # a unit cost ÷ its target
    QUOTA = "quota"  # the most that any tenant used of a quota, 1 is all of it
    ANOMALY = "anomaly"  # the worst score of a detector's open anomalies, above 1 is anomalous; 0 while none is open
    QUERY = "query"  # a user's own PromQL


SELDOM: Final[Mapping[Measure, timedelta]] = {
    Measure.FORECAST: timedelta(minutes=15),  # made every ten minutes, recorded every five
    Measure.SPENT: timedelta(minutes=5),
    Measure.UNIT_COST: timedelta(minutes=5),
}
"""How long after one value the next one comes, where that is more than a minute."""
BRAKES_SELDOM: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Signal:
    """A named figure that conditions refer to. A dimensionless ratio, or whatever a user's query gives.

    `subject` names the Budget, UnitCost, quota or AnomalyDetector; `window` is that of burn rates and unit costs.
    `floor_per_hour`, in the budget's currency, is the spend below which a spike is none. `group`: signals of one group
    are not independent of each other (by default: the budget, unit cost, quota, detector or query that they are made
    from). `per_hour_query` is PromQL: by how much a user's own figure or a score rises with each unit of money an hour;
    empty: not at all. `detector`: a spike counts only while an anomaly of this AnomalyDetector is open; empty: always.
    """

    name: str
    measure: Measure
    subject: str
    window: timedelta | None
    query: str
    per_hour_query: str
    floor_per_hour: Decimal | None
    group: str
    stale_after: timedelta
    source: SourcePosition
    detector: str = ""

    @property
    def usable_for(self) -> timedelta:
        """How old its data may be when it is used: `stale_after`, and how seldom such a value comes."""
        return self.stale_after + SELDOM.get(self.measure, timedelta(0))

    @property
    def detectors(self) -> tuple[str, ...]:
        """Names of the AnomalyDetectors that it is made from: one at most."""
        if self.measure is Measure.ANOMALY:
            return (self.subject,) if self.subject else ()
        return (self.detector,) if self.detector else ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One signal against a threshold: to enter it must be at the threshold or above, to leave below."""

    signal: str
    threshold: Decimal


@dataclass(frozen=True, slots=True)
class Condition:
    """All comparisons must hold, or any one of them; at least one comparison."""

    comparisons: tuple[Comparison, ...]
    needs_all: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """Alerts that a tier explains: Alertmanager matchers, `name=value` or `name=~regex`, that must all fit."""

    matchers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """One rung. It adds to those below it.

    `enter` must hold for `enter_samples` samples in a row, `exit` for `exit_samples`; exit is judged on what the
    signals would be without this tier. The tier is kept for `dwell` at least, in either direction. `expires_after`: how
    long it may stand before somebody must extend it; None for ever. `saving_per_hour` is what it is expected to save.
    `journeys` must be green before it stands.
    """

    number: int
    name: str
    description: str
    flags: tuple[tuple[str, FlagValue], ...]
    saving_per_hour: Decimal
    enter: Condition
    enter_samples: int
    exit: Condition
    exit_samples: int
    dwell: timedelta
    needs_approval: bool
    expires_after: timedelta | None
    journeys: tuple[str, ...]
    explains: tuple[Explained, ...]
    public_text: str
    source: SourcePosition


@dataclass(frozen=True, slots=True)
class Brake:
    """Tiers from this one on degrade a flow: none is entered while its error budget is at `minimum` or below.

    With `releases`, a tier in force is left then, whatever the spend. The budget is the SLO's share that is left, 1 is
    all of it; of a grouped SLO that of the worst group.
    """

    slo: str
    minimum: Decimal
    from_tier: int
    releases: bool
    source: SourcePosition


@dataclass(frozen=True, slots=True)
class Growth:
    """While this signal (a unit cost) is below the threshold, spend rises because use does: steps up are asked for."""

    signal: str
    flat_below: Decimal


@dataclass(frozen=True, slots=True)
class Emergency:
    """A jump straight to a tier: at least two of these hold whose signals are of different groups, and an approval."""

    tier: int
    comparisons: tuple[Comparison, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What keeps a ladder calm. `cool_down` lies between any move and a move down, `changes_per_day` within any 24 h.

    A step that was undone is tried again after `retry_after`, doubled each time, up to 16 times that.
    """

    changes_per_day: int
    cool_down: timedelta
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Verification:
    """How a step is verified: clients see it within a time; `settle` later every journey of the tier is green."""

    visible_within: timedelta
    settle: timedelta


@dataclass(frozen=True, slots=True)
class Ladder:
    """A Ladder document. `tiers` are in order from 1; `every` is the time between two samples."""

    name: str
    display_name: str
    mode: Mode
    store: str
    currency: str
    every: timedelta
    signals: tuple[Signal, ...]
    tiers: tuple[Tier, ...]
    brakes: tuple[Brake, ...]
    growth: Growth | None
    emergency: Emergency | None
    limits: Limits
    verification: Verification
    owner: str
    runbook_url: str
    labels: tuple[tuple[str, str], ...]
    source: SourcePosition

    def tier(self, number: int) -> Tier | None:
        """The tier of that number, None when it has none."""
        return self.tiers[number - 1] if 1 <= number <= len(self.tiers) else None

    def signal(self, name: str) -> Signal | None:
        """The signal of that name."""
        return next((each for each in self.signals if each.name == name), None)

    @property
    def brakes_usable_for(self) -> timedelta:
        """How old an error budget may be when it brakes: as the most patient signal, and how seldom it is recorded."""
        return max((each.stale_after for each in self.signals), default=self.every) + BRAKES_SELDOM

    @property
    def top(self) -> int:
        """The highest tier's number."""
        return len(self.tiers)
