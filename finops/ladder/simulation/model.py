"""What a simulation is given beside a ladder, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.budget import Budget
from controlplane.model.ladder import StepCause
from finops.ladder.deciding import Because
from finops.ladder.model import Ladder
from finops.ladder.readings import Readings

_ONE: Final = Decimal(1)
_A_QUARTER: Final = timedelta(minutes=15)
_AN_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Point:
    """History at one moment, as it was without the ladder. It stands until the next one.

    `users`: how many people used the service; None: nobody knows. `spend_per_hour` in the ladder's currency.
    """

    readings: Readings
    users: Decimal | None = None
    spend_per_hour: Decimal | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Points at `start`, `start` + `step`, …; at least one. `budgets` are those that signals are about, by signal.

    `origin` says in words where it comes from; `notes` what to know about it.
    """

    start: datetime
    step: timedelta
    points: Sequence[Point]
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    origin: str = ""
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> datetime:
        """The first moment that is not covered."""
        return self.start + len(self.points) * self.step

    def place(self, at: datetime) -> int:
        """The number of the point that stands at a moment; the first or the last one outside of the history."""
        return min(max((at - self.start) // self.step, 0), len(self.points) - 1)

    def spend_lately(self, place: int) -> Decimal | None:
        """Money an hour of the last quarter of an hour or of the last hour, whichever is more: as receipts see it."""
        means = [self._spend(place, length) for length in (_A_QUARTER, _AN_HOUR)]
        return max((each for each in means if each is not None), default=None)

    def _spend(self, place: int, length: timedelta) -> Decimal | None:
        first = max(place + 1 - max(length // self.step, 1), 0)
        known = [each.spend_per_hour for each in self.points[first : place + 1] if each.spend_per_hour is not None]
        return sum(known, Decimal(0)) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Options:
    """How people, clients and journeys are taken to behave.

    Asked for an approval, people give it after `approval_after`, or never (None). A step takes `visible_in`, the
    ladder's `settle`, and `journey_takes` for each journey; `journey_failures` is the share of steps up that are
    undone, drawn by `seed`. `weights` say how much a minute in a tier counts as degraded, 1 where it names none.
    `flap_within`: see `finops.ladder.simulation.flaps`; None: twice the longer one of dwell and cool-down.
    """

    approval_after: timedelta | None = timedelta(0)
    visible_in: timedelta = timedelta(seconds=2)
    journey_takes: timedelta = timedelta(seconds=30)
    journey_failures: Decimal = Decimal(0)
    seed: int = 0
    weights: Mapping[int, Decimal] = field(default_factory=dict)
    flap_within: timedelta | None = None

    def weight(self, tier: int) -> Decimal:
        """How much a minute in the tier counts."""
        return self.weights.get(tier, _ONE) if tier else Decimal(0)


@dataclass(frozen=True, slots=True)
class Moved:
    """A move: decided at `at`, verified (and in force) or undone at `until`, None when the history ends before.

    `saving_per_hour` is what all tiers in force were expected to save after it.
    """

    at: datetime
    until: datetime | None
    from_tier: int
    to_tier: int
    cause: StepCause
    reason: str
    saving_per_hour: Decimal
    approved: bool = False
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """For how long something kept the ladder from a move, or kept it from knowing. `until` is exclusive."""

    because: Because
    tier: int
    text: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one tier, 0 included."""

    tier: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Flap:
    """A tier that was entered and left again, or left and entered again, `after` too short a time."""

    at: datetime
    tier: int
    entered_again: bool
    after: timedelta


@dataclass(frozen=True, slots=True)
class InTier:
    """What one tier came to. `saved` counts only what this tier adds to those below it."""

    tier: int
    name: str
    entered: int
    time: timedelta
    user_minutes: Decimal
    saved: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """A simulation in figures. Minutes may have fractions; `spent` is None where nobody knows what was spent.

    `degraded_user_minutes`: minutes in a tier × users × the tier's weight; where users are unknown, one user is.
    """

    flaps: int
    moves: int
    undone: int
    saved: Decimal
    spent: Decimal | None
    degraded_minutes: Decimal
    degraded_user_minutes: Decimal
    max_tier: int
    held_minutes: Decimal
    minutes_without_data: Decimal


@dataclass(frozen=True, slots=True)
class Simulation:
    """What one ladder would have done over `since` … `until`. `decided`: how often the controller was asked."""

    ladder: Ladder
    label: str
    since: datetime
    until: datetime
    moves: tuple[Moved, ...]
    held: tuple[Held, ...]
    stretches: tuple[Stretch, ...]
    flaps: tuple[Flap, ...]
    tiers: tuple[InTier, ...]
    totals: Totals
    flap_within: timedelta
    has_users: bool
    origin: str = ""
    notes: tuple[str, ...] = ()
    spend: tuple["SpendPoint", ...] = ()
    decided: int = 0


@dataclass(frozen=True, slots=True)
class SpendPoint:
    """Money an hour at a moment: as it was, and as it would have been with the ladder."""

    at: datetime
    was: Decimal
    would_be: Decimal
