"""What a step changes, as values: which flags, from what to what, and what a ladder stands on afterwards."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from controlplane.model.ladder import AppliedTier, FlagChange, FlagValue, LadderState, StepRecord
from finops.ladder.model import Ladder

Values = Mapping[str, FlagValue]


def changes_up(ladder: Ladder, present: int, to_tier: int, kept: Collection[str] = ()) -> tuple[FlagChange, ...]:
    """The flags of every tier above the present one up to `to_tier`, in order; what they were is not known yet.

    `kept` are flags that people want left alone.
    """
    return tuple(
        FlagChange(tier.number, flag, None, value)
        for tier in ladder.tiers[present:to_tier]
        for flag, value in tier.flags
        if flag not in kept
    )


def changes_down(state: LadderState, to_tier: int) -> tuple[FlagChange, ...]:
    """What the tiers above `to_tier` changed, as it was recorded then, the last one first."""
    left = [each for each in state.applied if each.tier > to_tier]
    return tuple(change for applied in reversed(left) for change in reversed(applied.changes))


def with_earlier(changes: tuple[FlagChange, ...], found: Values) -> tuple[FlagChange, ...]:
    """Changes upwards together with what each flag was before it: what was read, or what a lower tier makes of it."""
    present = dict(found)
    known = []
    for change in changes:
        known.append(replace(change, before=present[change.flag], is_read=True))
        present[change.flag] = change.after
    return tuple(known)


def sources(step: StepRecord) -> dict[str, FlagValue]:
    """What each flag is before the step, in the order in which they are written. All are read."""
    found: dict[str, FlagValue] = {}
    for change in step.changes:
        value = change.before if step.is_up else change.after
        if value is not None:
            found.setdefault(change.flag, value)
    return found


def targets(step: StepRecord) -> dict[str, FlagValue]:
    """What each flag is to be after the step, in the same order."""
    found: dict[str, FlagValue] = {}
    for change in step.changes:
        value = change.after if step.is_up else change.before
        if value is not None:
            found[change.flag] = value
    return found


def in_force(state: LadderState | None) -> dict[str, FlagValue]:
    """What flags must hold by the tiers in force. Flags that people changed are theirs, and not among them."""
    if state is None:
        return {}
    theirs = state.theirs or {}
    return {
        change.flag: change.after
        for applied in state.applied
        for change in applied.changes
        if change.flag not in theirs
    }


def applied_after(state: LadderState, step: StepRecord, now: datetime) -> tuple[AppliedTier, ...]:
    """The tiers in force once the step stands."""
    if not step.is_up:
        return tuple(each for each in state.applied if each.tier <= step.to_tier)
    new = (
        AppliedTier(tier, now, step.id, tuple(change for change in step.changes if change.tier == tier))
        for tier in range(step.from_tier + 1, step.to_tier + 1)
    )
    return (*state.applied, *new)


def without(state: LadderState, flags: Collection[str]) -> LadderState:
    """The ladder without these flags: it restores them no more."""
    applied = tuple(
        replace(each, changes=tuple(change for change in each.changes if change.flag not in flags))
        for each in state.applied
    )
    return replace(state, applied=applied)
