"""From written to in force: clients see it, the journeys are green, and nobody changed anything meanwhile."""

from collections.abc import Sequence

from controlplane.model.check import CheckResult, Outcome
from controlplane.model.ladder import FlagValue, LadderState, StepPhase, StepRecord
from finops.ladder.acting import plan
from finops.ladder.acting.act import POLL_SECONDS, Act, differing, give_up, give_way, shown
from finops.ladder.acting.flag_calls import StoreDown
from finops.ladder.acting.hands import Hand, hands, same


def show(act: Act, step: StepRecord) -> StepRecord:
    """Wait until applications get what was written."""
    wanted = plan.targets(step)
    waited, patience = 0.0, act.verification.visible_within.total_seconds()
    while True:
        silent: StoreDown | None = None
        late = dict(wanted)
        try:
            seen = act.flags.shown(wanted)
        except StoreDown as error:
            silent = error
        else:
            late = {flag: value for flag, value in wanted.items() if not same(seen.get(flag), value)}
        if not late:
            return act.journal.advance(step, phase=StepPhase.VERIFYING, visible_at=act.journal.clock.now())
        if waited >= patience:
            if silent is not None:
                raise silent
            told = ", ".join(f"{flag} ({shown(value)})" for flag, value in late.items())
            return give_up(act, step, f"within {patience:g} s clients do not see {told}")
        act.wait(POLL_SECONDS)
        waited += POLL_SECONDS


def verify(act: Act, step: StepRecord) -> StepRecord:
    """Let it settle, walk the journeys, look once more that all is as we wrote it; then the step stands."""
    act.wait(act.verification.settle.total_seconds())
    if why := walk(act, step.journeys):
        return give_up(act, step, why)
    changed, why = _changed(act, step)
    if changed:
        return give_way(act, step, why, changed)
    return act.journal.commit(step)


def walk(act: Act, journeys: Sequence[str]) -> str:
    """Why the journeys do not carry the step; empty when all are green. A fault of our own side gets a second try."""
    left = list(journeys)
    for last in (False, True):
        if not left:
            return ""
        results = act.journeys.run(left, act.journal.clock.now())
        red = [each for each in results if each.outcome is Outcome.FAILED]
        if red:
            return "journeys are not green: " + "; ".join(map(_told, red))
        faults = [each for each in results if each.outcome is not Outcome.OK]
        missing = [name for name in left if name not in {each.check for each in results}]
        if last and (faults or missing):
            told = [*map(_told, faults), *(f"{name}: no result" for name in missing)]
            return "it could not be verified: " + "; ".join(told)
        left = [*(each.check for each in faults), *missing]
    return ""


def elsewhere(state: LadderState | None, step: StepRecord) -> dict[str, FlagValue]:
    """What the flags must hold that the step does not touch."""
    own = {change.flag for change in step.changes}
    return {flag: value for flag, value in plan.in_force(state).items() if flag not in own}


def _changed(act: Act, step: StepRecord) -> tuple[dict[str, FlagValue], str]:
    """What somebody changed while the step was verified, with what we had written; and that in words."""
    seen = act.flags.look(plan.targets(step), step.decided_at)
    before, after = plan.sources(step), plan.targets(step)
    found = hands(step, seen)
    own = [
        flag
        for flag, hand in found.items()
        if hand is Hand.THEIRS or (hand is Hand.BEFORE and not same(before[flag], after[flag]))
    ]
    others = elsewhere(act.journal.state(), step)
    states = act.flags.read(others)
    changed = {flag: value for flag, value in others.items() if not same(states[flag].value, value)}
    told = [f"somebody else changed {', '.join(own)} while the step was verified"] if own else []
    if changed:
        told.append(differing(changed, {flag: states[flag].value for flag in changed}))
    return {**{flag: after[flag] for flag in own}, **changed}, "; ".join(told)


def _told(result: CheckResult) -> str:
    reason = result.detail or result.reason or result.outcome.value
    return f"{result.check}: {reason}"
