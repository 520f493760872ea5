"""What a step acts with, and the figures that bound it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane.ladder_ports import JourneyRunner
from controlplane.model.ladder import FlagValue, StepOutcome, StepPhase, StepRecord
from finops.ladder.acting.flag_calls import FlagCalls
from finops.ladder.acting.journal import Journal
from finops.ladder.model import Ladder, Verification

YOUNG: Final = timedelta(minutes=10)
"""A step that could not go on for longer is not finished any more: what it was decided on is over."""
POLL_SECONDS: Final = 0.2  # between two looks at flags that should change
USUAL: Final = Verification(visible_within=timedelta(seconds=30), settle=timedelta(seconds=10))
"""How the steps of a ladder are verified that is no longer declared."""


@dataclass(frozen=True, slots=True)
class Act:
    """Everything that one turn of one step may use. `wait` sleeps for seconds; no transaction is open meanwhile."""

    journal: Journal
    flags: FlagCalls
    journeys: JourneyRunner
    verification: Verification
    wait: Callable[[float], None]


def verification_of(ladder: Ladder | None) -> Verification:
    """How a ladder's steps are verified."""
    return ladder.verification if ladder is not None else USUAL


def give_up(act: Act, step: StepRecord, why: str) -> StepRecord:
    """The step is to be undone, and that is written down first."""
    return act.journal.advance(step, phase=StepPhase.UNDOING, undo_as=StepOutcome.UNDONE, detail=why)


def give_way(act: Act, step: StepRecord, why: str, flags: Mapping[str, FlagValue]) -> StepRecord:
    """The same for a person's sake: these flags are theirs from now on, and the undoing leaves them alone."""
    by = {flag: name for flag in flags if (name := act.flags.who(flag, step.decided_at))}
    return act.journal.give_way(step, why, flags, by)


def shown(value: FlagValue | None) -> str:
    """A value for people, as YAML has it."""
    if value is None:
        return "absent"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def differing(expected: Mapping[str, FlagValue], found: Mapping[str, FlagValue | None]) -> str:
    """Flags that are not as expected, in words."""
    return "; ".join(
        f"{flag} is {shown(found.get(flag))}, and the ladder had set {shown(value)}" for flag, value in expected.items()
    )
