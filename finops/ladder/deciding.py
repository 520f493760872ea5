"""What the controller is given and what it answers: `finops.ladder.controller.decide(ladder, state, given, now)`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from controlplane.model.ladder import Approval, LadderHold, StepCause
from finops.ladder.readings import Readings


@dataclass(frozen=True, slots=True)
class ControllerState:
    """Everything that one decision hands to the next. `tier` is what is in force (in shadow mode: what would be).

    `since`: when the last move ended; None before the first. `entering` counts samples in a row in which a tier's
    `enter` held, by tier; `leaving` those in which the present tier's `exit` held; `jumping` those of the emergency.
    `moves` are the times of all moves of the last 24 h, undone ones too. `entered`: since when each tier in force has
    been. `failures`: by the tier that a step was to reach, how often in a row it was undone and when the last time.
    `locked`: tiers that expired, which only an approval opens again. `sampled_at`: the newest sample that was counted.
    """

    tier: int = 0
    since: datetime | None = None
    entering: Mapping[int, int] = field(default_factory=dict)
    leaving: int = 0
    jumping: int = 0
    moves: tuple[datetime, ...] = ()
    entered: Mapping[int, datetime] = field(default_factory=dict)
    failures: Mapping[int, tuple[int, datetime]] = field(default_factory=dict)
    locked: frozenset[int] = frozenset()
    sampled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The world at one moment, beside the ladder and its state.

    `is_stepping`: a step is open, so that nothing may be decided. `is_killed`: the kill switch is set. `theirs`: flags
    that a person changed and nobody has said what becomes of them.
    """

    readings: Readings
    approvals: tuple[Approval, ...] = ()
    hold: LadderHold | None = None
    theirs: tuple[str, ...] = ()
    is_stepping: bool = False
    is_killed: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Go to a tier now. `approval` is the id of the one that is used up; empty when none was needed."""

    from_tier: int
    to_tier: int
    cause: StepCause
    reason: str
    approval: str = ""


class Because(Enum):
    """Why the ladder stays where it is although something asks it to move, or what people should know."""

    KILLED = "killed"
    HELD = "held"
    STEPPING = "stepping"
    THEIRS = "theirs"  # a person's edit of a flag is in the way
    NO_DATA = "no-data"  # a signal that matters is missing, stale or contradictory
    CONTRADICTION = "contradiction"  # the conditions ask for up and down at once
    BRAKE = "brake"
    NEEDS_APPROVAL = "needs-approval"
    GROWTH = "growth"  # legitimate growth: an approval is asked for
    DWELL = "dwell"
    COOL_DOWN = "cool-down"
    CAP = "cap"  # changes a day
    RETRY_LATER = "retry-later"  # the last try was undone
    LOCKED = "locked"  # the tier expired; only an approval opens it again
    COUNTING = "counting"  # not enough samples in a row yet
    EXPIRES = "expires"  # the tier expires soon, or has
    UNKNOWN_TIER = "unknown-tier"  # the tier in force is not declared any more
    TAKEN = "taken"  # another ladder has one of its flags in force
    CLOCK = "clock"  # the clock went back


@dataclass(frozen=True, slots=True)
class Note:
    """One reason, in words. `is_alert`: people should be told; `tier`: the one that it is about, 0 for none."""

    because: Because
    text: str
    tier: int = 0
    is_alert: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now: a move or nothing, the state that goes on from here, and why. `asks`: approvals wanted, by tier.

    `state` does not hold the move: `moved` and `failed` (finops.ladder.controller) tell how it ended.
    """

    state: ControllerState
    move: Move | None
    notes: tuple[Note, ...]
    asks: tuple[int, ...] = ()
