"""From intent to written: read, compare, keep what was, write, read back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from controlplane.model.ladder import FlagValue, LadderState, StepOutcome, StepPhase, StepRecord
from finops.flags.model import FlagState, FlagWrite
from finops.flags.ports import Conflict
from finops.ladder.acting import lasting, plan, rivals
from finops.ladder.acting.act import POLL_SECONDS, Act, differing, give_up, give_way, shown
from finops.ladder.acting.flag_calls import StoreDown, noted
from finops.ladder.acting.hands import Hand, doing, hands, same


def begin(act: Act, step: StepRecord) -> StepRecord:
    """Read and compare; keep what was; write. Nothing is written unless every flag is as the ladder believes."""
    state = act.journal.state()
    forced = plan.in_force(state)
    wanted = {change.flag: change.after for change in step.changes}
    found = act.flags.read({**wanted, **forced})
    why = _why_not(act, step, wanted, found) or (_taken(act, step, wanted) if step.is_up else "")
    if why := why or lasting.why_over(step, act.journal.ladder, state, act.journal.clock.now()):
        return act.journal.end(step, StepOutcome.REFUSED, why)
    if state is not None and state.theirs:
        return act.journal.end(step, StepOutcome.YIELDED, f"people changed {', '.join(sorted(state.theirs))}")
    changed = {flag: value for flag, value in forced.items() if not same(found[flag].value, value)}
    if changed:
        why = differing(changed, {flag: found[flag].value for flag in changed})
        return act.journal.end(step, StepOutcome.YIELDED, why, changed, who=who(act, changed, state))
    if step.is_up:
        values = {flag: value for flag in wanted if (value := found[flag].value) is not None}
        changes = plan.with_earlier(step.changes, values)
    else:
        changes = tuple(replace(change, is_read=True) for change in step.changes)
    step = act.journal.advance(step, phase=StepPhase.WRITING, changes=changes)
    return _write(act, step, found)


def go_on(act: Act, step: StepRecord) -> StepRecord:
    """A step that may have written, or not, or half of it: somebody died, or the store did not answer."""
    before, after = plan.sources(step), plan.targets(step)
    seen = act.flags.look(after, step.decided_at)
    found = hands(step, seen)
    if theirs := {flag: after[flag] for flag, hand in found.items() if hand is Hand.THEIRS}:
        return give_way(act, step, _theirs_in_words(theirs), theirs)
    due = [flag for flag, hand in found.items() if hand is Hand.BEFORE and not same(before[flag], after[flag])]
    if due and Hand.OURS in found.values() and not all(each.is_told for each in seen.values()):
        return give_up(act, step, "it was interrupted while it wrote, and the flag store does not tell who wrote what")
    return _write(act, step, {flag: seen[flag].state for flag in after})


def who(act: Act, flags: Mapping[str, FlagValue], state: LadderState | None) -> dict[str, str]:
    """Who changed these flags, where the store has it."""
    if state is None or not state.applied:
        return {}
    return {flag: by for flag in flags if (by := act.flags.who(flag, state.applied[0].since))}


def _taken(act: Act, step: StepRecord, wanted: Mapping[str, FlagValue]) -> str:
    with act.journal.store.transaction(read_only=True) as transaction:
        return rivals.in_words(rivals.held_by_others(transaction.ladders, step.ladder, step.store, wanted.keys()))


def _why_not(act: Act, step: StepRecord, wanted: Mapping[str, FlagValue], found: Mapping[str, FlagState]) -> str:
    """Why nothing can be written at all; empty when it can."""
    absent = [flag for flag in wanted if found[flag].value is None]
    if absent:
        return f"flag store {step.store} has no flag {', '.join(absent)}"
    if not step.is_up:
        return ""
    unlisted = [flag for flag in wanted if flag not in act.flags.declared]
    if unlisted:
        return f"{', '.join(unlisted)} is not on the allow-list of flag store {step.store}"
    return "; ".join(
        f"flag {flag} is {shown(found[flag].value)}, which is not of the type of {shown(value)}"
        for flag, value in wanted.items()
        if type(found[flag].value) is not type(value)
    )


def _write(act: Act, step: StepRecord, found: Mapping[str, FlagState]) -> StepRecord:
    after = plan.targets(step)
    writes = [FlagWrite(found[flag], value) for flag, value in after.items() if not same(found[flag].value, value)]
    try:
        act.flags.write(writes, noted(step, doing(step)))
    except Conflict as error:
        return _after_conflict(act, step, found, error)
    return _read_back(act, step)


def _after_conflict(act: Act, step: StepRecord, found: Mapping[str, FlagState], error: Conflict) -> StepRecord:
    """Whose flags it was about: a store may only know that something changed, such as a file.

    Where no flag of the step is another one, nothing stands in the way but the moment: the next turn writes again.
    """
    after = plan.targets(step)
    seen = act.flags.look(after, step.decided_at)
    theirs = {flag: after[flag] for flag, hand in hands(step, seen).items() if hand is Hand.THEIRS}
    for flag in error.flags:
        is_untold = flag in after and not seen[flag].is_told
        if is_untold and not same(seen[flag].state.value, found[flag].value):
            theirs[flag] = after[flag]
    if not theirs:
        raise StoreDown(str(error))
    return give_way(act, step, str(error), theirs)


def _read_back(act: Act, step: StepRecord) -> StepRecord:
    """Whether the store holds what was written. One that takes it a little later gets the time that it declares."""
    before, after = plan.sources(step), plan.targets(step)
    waited, patience = 0.0, act.flags.visible_within.total_seconds()
    while True:
        found = hands(step, act.flags.look(after, step.decided_at))
        if theirs := {flag: after[flag] for flag, hand in found.items() if hand is Hand.THEIRS}:
            return give_way(act, step, _theirs_in_words(theirs), theirs)
        late = [flag for flag, hand in found.items() if hand is Hand.BEFORE and not same(before[flag], after[flag])]
        if not late:
            return act.journal.advance(step, phase=StepPhase.SHOWING, written_at=act.journal.clock.now())
        if waited >= patience:
            told = ", ".join(f"{flag} ({shown(after[flag])})" for flag in late)
            why = f"the flag store does not hold what was written: {told}"
            return give_way(act, step, why, {flag: after[flag] for flag in late})
        act.wait(POLL_SECONDS)
        waited += POLL_SECONDS


def _theirs_in_words(flags: Iterable[str]) -> str:
    return f"somebody else changed {', '.join(flags)} while the step ran"
