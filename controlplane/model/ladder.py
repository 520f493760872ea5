"""What is remembered of a downshift ladder: the tiers in force, each step, and what people said about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from controlplane.model.event import JSON

FlagValue = bool | int | str
"""What a flag may be set to. Ratios are decimal strings: no flag of ours is a float."""


class StepCause(Enum):
    """Why a ladder moves."""

    SIGNALS = "signals"  # the conditions that its file declares
    EMERGENCY = "emergency"  # a jump over tiers: two independent signals, and an approval
    BRAKE = "brake"  # the error budget of a flow that the tier degrades is gone
    EXPIRY = "expiry"  # nobody extended the tier in time
    PERSON = "person"
    DRILL = "drill"


class StepPhase(Enum):
    """How far a step has come; each is written down before what it names is done."""

    INTENT = "intent"  # nothing is written into the flag store yet
    WRITING = "writing"  # earlier values are known and kept; some flags may be written
    SHOWING = "showing"  # all read back; waiting until clients see them
    VERIFYING = "verifying"  # the journeys run
    UNDOING = "undoing"  # earlier values are put back, the last one first
    ENDED = "ended"


class StepOutcome(Enum):
    """How a step ended."""

    COMMITTED = "committed"  # verified, and in force
    UNDONE = "undone"  # tried, and every flag of ours put back
    YIELDED = "yielded"  # a person's edit was in the way; what we had written was put back
    REFUSED = "refused"  # nothing was written


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One flag of one tier. `before` is what it was when the step read it; None until then, or where there was none.

    A step up writes `after`; a step down puts `before` back.
    """

    tier: int
    flag: str
    before: FlagValue | None
    after: FlagValue
    is_read: bool = False  # whether `before` is known


@dataclass(frozen=True, slots=True)
class AppliedTier:
    """A tier in force: since when, by which step, and what it changed, in the order in which it was written."""

    tier: int
    since: datetime
    step: str
    changes: tuple[FlagChange, ...]


@dataclass(frozen=True, slots=True)
class LadderState:
    """Where a ladder stands. `applied` has one entry for each tier from 1 up to the one in force; none at full service.

    `counters` is what its controller remembers between samples. `theirs` are flags that a person changed while a tier
    was in force, with the value that we had written: the ladder holds until somebody says what shall become of them.
    `told` is what people were told already, by key, so that they are told once.
    """

    ladder: str
    applied: tuple[AppliedTier, ...]
    counters: Mapping[str, JSON]
    updated_at: datetime
    store: str = ""  # the FlagStore that the tiers in force were written into
    theirs: Mapping[str, FlagValue] | None = None
    told: Mapping[str, JSON] | None = None

    @property
    def tier(self) -> int:
        """The tier in force, 0 at full service."""
        return self.applied[-1].tier if self.applied else 0


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One move, from its intent to its end. At most one of a ladder is open at a time.

    `changes` are those to write (a step up, tier by tier upwards) or to take back (a step down). `detail` says in words
    what went wrong, without secrets. `attempts` counts turns that could not go on because the outside did not answer.
    """

    id: str
    ladder: str
    store: str
    from_tier: int
    to_tier: int
    cause: StepCause
    reason: str
    actor: str
    decided_at: datetime
    phase: StepPhase
    changes: tuple[FlagChange, ...]
    journeys: tuple[str, ...] = ()
    approval: str = ""
    order: str = ""  # the order that asked for it
    written_at: datetime | None = None
    visible_at: datetime | None = None
    verified_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: StepOutcome | None = None
    undo_as: StepOutcome = StepOutcome.UNDONE  # what an undone step ends as
    detail: str = ""
    attempts: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it reduces service."""
        return self.to_tier > self.from_tier


class ApprovalScope(Enum):
    """What an approval lets happen."""

    STEP = "step"  # one step up into the tier
    JUMP = "jump"  # an emergency jump to the tier
    EXTEND = "extend"  # the tier may stay until the approval ends


@dataclass(frozen=True, slots=True)
class Approval:
    """Who allowed what, why, and until when (exclusive). A step or a jump uses it up."""

    id: str
    ladder: str
    tier: int
    scope: ApprovalScope
    by: str
    why: str
    at: datetime
    until: datetime
    used_by: str = ""  # the step
    withdrawn_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it may be used now."""
        return self.at <= now < self.until and not self.used_by and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class LadderHold:
    """Somebody wants no automatic move until a time, or until they say so (None)."""

    ladder: str
    by: str
    why: str
    since: datetime
    until: datetime | None

    def is_on(self, now: datetime) -> bool:
        """Whether it holds now."""
        return self.until is None or now < self.until


class OrderKind(Enum):
    """What people order."""

    STEP = "step"  # to the tier `argument`, by verified steps
    DRILL = "drill"  # up to the tier `argument` and back, by verified steps
    KEEP_THEIRS = "keep-theirs"  # flags that people changed stay as they are; the ladder forgets them
    TAKE_BACK = "take-back"  # flags that people changed get the tier's values again


@dataclass(frozen=True, slots=True)
class LadderOrder:
    """Something to be done by whoever leads, once. `result` says in words how it went."""

    id: str
    ladder: str
    kind: OrderKind
    argument: int | None
    by: str
    why: str
    at: datetime
    begun_at: datetime | None = None
    done_at: datetime | None = None
    is_done_well: bool | None = None
    result: str = ""
    progress: Mapping[str, JSON] | None = None  # of a drill: where it is


@dataclass(frozen=True, slots=True)
class SavingsReceipt:
    """What a tier was said to save, and what it did, in money an hour; of one time that it was in force.

    `realised`, `low`, `high` (an 80 % interval) are None until enough was seen on both sides. `saved` is money so far.
    What a tier saves shrinks with the spend: `remaining` is the share of the spend of when it came that there still is.
    More than 1 only where nothing was measured and spend is far above what is usual; None: not known.
    """

    step: str
    ladder: str
    tier: int
    currency: str
    predicted: Decimal
    since: datetime
    until: datetime | None = None
    realised: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    saved: Decimal | None = None
    measured_at: datetime | None = None
    note: str = ""  # why it could not be measured, or what to know about it
    remaining: Decimal | None = None
