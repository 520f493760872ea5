"""Whose hand a flag shows: ours, as a step wrote it, nobody's yet, or a person's.

A boolean flag cannot tell that by its value: what a step wrote and somebody put back looks as if it was never written.
A store that marks our writes, or keeps a history, can. Of one that does neither the value has to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from controlplane.model.ladder import FlagValue, StepRecord
from finops.flags.model import FlagEdit, FlagState
from finops.ladder.acting import plan


class Hand(Enum):
    """Who set a flag as it is now, as seen from one step."""

    OURS = "ours"  # it is as the step wrote it
    BEFORE = "before"  # it is as it was before the step: not written yet, or put back by us
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Seen:
    """A flag as it was read, and what is known of its writers.

    `last_write`: id of our last write to it, None where the store does not mark writes. `edits`: its history since the
    step began, None where the store keeps none.
    """

    state: FlagState
    last_write: str | None = None
    edits: Sequence[FlagEdit] | None = None

    @property
    def is_told(self) -> bool:
        """Whether the store says who wrote it."""
        return self.last_write is not None or self.edits is not None


def same(one: FlagValue | None, other: FlagValue | None) -> bool:
    """Whether two values are one; `True` is not 1."""
    return type(one) is type(other) and one == other


def doing(step: StepRecord) -> str:
    """The id of the note under which a step writes."""
    return f"{step.id}:do"


def undoing(step: StepRecord) -> str:
    """The id of the note under which a step puts back."""
    return f"{step.id}:undo"


def hands(step: StepRecord, seen: Mapping[str, Seen]) -> dict[str, Hand]:
    """Whose hand each flag of a step shows, in the order of the step."""
    before, after = plan.sources(step), plan.targets(step)
    return {flag: _hand(step, before[flag], after[flag], seen[flag]) for flag in after}


def run_over(step: StepRecord, seen: Seen) -> FlagValue | None:
    """What a person set while the step ran, when a write of ours went over it nevertheless; None when none did.

    Stores without compare-and-set leave a moment for that.
    """
    if not seen.edits or not seen.edits[-1].is_ours:
        return None
    theirs = [edit.value for edit in seen.edits if _is_of_people(step, edit) and edit.value is not None]
    if not theirs or type(theirs[-1]) is not type(seen.state.value) or theirs[-1] == seen.state.value:
        return None
    return theirs[-1]


def _hand(step: StepRecord, before: FlagValue, after: FlagValue, seen: Seen) -> Hand:
    value = seen.state.value
    if any(_is_of_people(step, edit) for edit in seen.edits or ()):
        return Hand.THEIRS
    if same(before, after):
        return Hand.BEFORE if same(value, before) else Hand.THEIRS
    if same(value, after):
        return Hand.OURS if _set_by_step(step, seen) else Hand.THEIRS
    if same(value, before):
        return Hand.THEIRS if _taken_from_step(step, after, seen) else Hand.BEFORE
    return Hand.THEIRS


def _is_of_people(step: StepRecord, edit: FlagEdit) -> bool:
    """Whether a person made it while the step ran."""
    return not edit.is_ours and edit.at >= step.decided_at


def _set_by_step(step: StepRecord, seen: Seen) -> bool:
    """Of a flag that holds what the step writes: whether the step wrote it. Where nobody tells, it did."""
    if seen.last_write is not None:
        return seen.last_write == doing(step)
    return seen.edits[-1].is_ours if seen.edits else True


def _taken_from_step(step: StepRecord, after: FlagValue, seen: Seen) -> bool:
    """Of a flag that is as it was before the step: whether the step wrote it, and a person put it back."""
    if seen.last_write is not None:
        return seen.last_write == doing(step)
    if not seen.edits or seen.edits[-1].is_ours:
        return False
    return any(edit.is_ours and (edit.value is None or same(edit.value, after)) for edit in seen.edits)
