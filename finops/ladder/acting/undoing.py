"""A step is taken back: what it wrote goes, the last flag first; what a person wrote meanwhile stays."""

from contextlib import suppress

from controlplane.model.ladder import FlagValue, StepOutcome, StepRecord
from finops.flags.model import FlagWrite
from finops.flags.ports import Conflict
from finops.ladder.acting import plan, writing
from finops.ladder.acting.act import POLL_SECONDS, Act
from finops.ladder.acting.flag_calls import StoreDown, noted
from finops.ladder.acting.hands import Hand, hands, run_over, same, undoing
from finops.ladder.acting.verifying import elsewhere


def undo(act: Act, step: StepRecord) -> StepRecord:
    """Put back every flag that is as the step wrote it, and end. May be repeated, and ends the same way."""
    state = act.journal.state()
    known = frozenset(state.theirs or ()) if state else frozenset()
    found = _put_back(act, step, known)
    after = plan.targets(step)
    theirs = {flag: after[flag] for flag, hand in found.items() if hand is Hand.THEIRS}
    theirs |= _changed_elsewhere(act, step)
    outcome = StepOutcome.YIELDED if theirs else step.undo_as
    return act.journal.end(step, outcome, step.detail, theirs, who=writing.who(act, theirs, state))


def _put_back(act: Act, step: StepRecord, theirs: frozenset[str]) -> dict[str, Hand]:
    before, after = plan.sources(step), plan.targets(step)
    waited, patience = 0.0, act.flags.visible_within.total_seconds() + 1
    while True:
        seen = act.flags.look(after, step.decided_at)
        found = {flag: Hand.THEIRS if flag in theirs else hand for flag, hand in hands(step, seen).items()}
        wanted = {flag: before[flag] for flag, hand in reversed(found.items()) if hand is Hand.OURS}
        for flag, hand in found.items():
            if hand is Hand.THEIRS and (value := run_over(step, seen[flag])) is not None:
                wanted[flag] = value
        if not wanted:
            return found
        if waited > patience:
            raise StoreDown(f"flag store {step.store} does not hold what was put back: {', '.join(wanted)}")
        writes = [FlagWrite(seen[flag].state, value) for flag, value in wanted.items()]
        with suppress(Conflict):  # somebody changes flags just now: look again whose they are
            act.flags.write(writes, noted(step, undoing(step)))
        if waited:
            act.wait(POLL_SECONDS)
        waited += POLL_SECONDS


def _changed_elsewhere(act: Act, step: StepRecord) -> dict[str, FlagValue]:
    others = elsewhere(act.journal.state(), step)
    states = act.flags.read(others)
    return {flag: value for flag, value in others.items() if not same(states[flag].value, value)}
