"""The decision: what to do now, by the ladder as declared, what is remembered, and one sample."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from controlplane.model.ladder import ApprovalScope, StepCause
from finops.ladder.controller import expiring, gates
from finops.ladder.controller.blindness import blind
from finops.ladder.controller.counting import counted
from finops.ladder.controller.holding import held, holds
from finops.ladder.controller.judging import Verdict, at_or_above, judge
from finops.ladder.controller.telling import capital, counts, figure, joined, left, named, wanted
from finops.ladder.controller.turn import Answer, Turn
from finops.ladder.deciding import Because, ControllerState, Decision, Given, Move, Note
from finops.ladder.model import Ladder

_NOTHING: Final = Answer()


def decide(ladder: Ladder, state: ControllerState, given: Given, now: datetime) -> Decision:
    """What the ladder does now: at most one move, and never one of which nobody is sure.

    In this order: what stops it altogether; a brake that releases; an emergency jump; a tier that expired; one tier up;
    one tier down. The first that may go is the move, the notes of those before it stay. Pure: the same arguments give
    the same answer, and nothing is raised.
    """
    stops = holds(ladder, state, given, now)
    if stops:
        return Decision(held(state, given, now), None, stops)
    turn = _turn(ladder, state, given, now)
    ends = expiring.expiries(ladder, state, given.approvals, now)
    notes = [*blind(turn), *expiring.notes(turn, ends)]
    asks: list[int] = []
    for answer in _answers(turn, ends):
        notes.extend(answer.notes)
        asks.extend(answer.asks)
        if answer.move is not None:
            return Decision(turn.state, answer.move, tuple(notes))
    return Decision(turn.state, None, tuple(notes), tuple(dict.fromkeys(asks)))


def _turn(ladder: Ladder, state: ControllerState, given: Given, now: datetime) -> Turn:
    judged = judge(ladder, state.tier, given.readings, now)
    is_asking = judged.emergency is Verdict.HOLDS or judged.asking(max(state.tier, 1)) is not None
    is_contradictory = judged.exit is Verdict.HOLDS and is_asking
    after = counted(ladder, state, judged, given.readings.at, is_contradictory=is_contradictory)
    return Turn(ladder, after, given, now, judged, is_contradictory)


def _answers(turn: Turn, ends: Mapping[int, datetime]) -> Iterator[Answer]:
    if turn.is_contradictory:
        yield Answer(notes=(gates.contradiction(turn),))
    yield _release(turn)
    yield _jump(turn)
    gone = expiring.expired(ends, turn.now)
    if gone:
        yield _expire(turn, gone)
        return
    yield _up(turn)
    yield _down(turn)


def _release(turn: Turn) -> Answer:
    """A tier in force degrades a flow whose error budget is gone: down, whatever the spend, kept tier or not."""
    for brake in turn.ladder.brakes:
        if not brake.releases or turn.tier < max(brake.from_tier, 1):
            continue
        if gates.brake_fault(turn.ladder, brake, turn.given.readings, turn.now):
            continue  # nobody knows; `blind` tells it
        why = gates.braking(turn.ladder, brake, turn.given.readings, turn.now)
        if why:
            target = turn.tier - 1
            text = f"{capital(named(turn.ladder, turn.tier))} is left: {why}."
            note = Note(Because.BRAKE, text, turn.tier, is_alert=True)
            stops = (*gates.cool_down(turn, target), *gates.cap(turn, target), *gates.retry(turn, target))
            move = None if stops else Move(turn.tier, target, StepCause.BRAKE, f"{why}.")
            return Answer(move, (note, *stops))
    return _NOTHING


def _jump(turn: Turn) -> Answer:
    """Over tiers at once: independent signals, samples in a row, and an approval of just that. No dwell holds it."""
    emergency = turn.ladder.emergency
    if emergency is None or not turn.state.jumping:
        return _NOTHING
    target = emergency.tier
    name = named(turn.ladder, target)
    why = joined(
        [
            f"{each.signal} is {figure(value, each.threshold)}, {each.threshold.normalize():f} or more is an emergency"
            for each in at_or_above(emergency.comparisons, turn.judged.values)
            if (value := turn.judged.values[each.signal]) is not None
        ]
    )
    counted_so_far = counts(turn.state.jumping, emergency.samples)
    if turn.state.jumping < emergency.samples:
        text = f"A jump to {name} is asked for in {counted_so_far}: {why}."
        return Answer(notes=(Note(Because.COUNTING, text, target),))
    stops = (*gates.brakes(turn, target), *gates.cap(turn, target), *gates.retry(turn, target))
    if stops:
        return Answer(notes=stops)
    approval = gates.usable(turn, target, ApprovalScope.JUMP)
    if approval is None:
        text = f"An emergency: {why}, {counted_so_far}. A jump to {name} needs an approval of scope jump."
        return Answer(notes=(Note(Because.NEEDS_APPROVAL, text, target, is_alert=True),), asks=(target,))
    reason = f"{why}, {counted_so_far}; {approval.by} approved the jump: {approval.why}."
    return Answer(Move(turn.tier, target, StepCause.EMERGENCY, reason, approval.id))


def _expire(turn: Turn, gone: int) -> Answer:
    """Nobody extended a tier: down, tier by tier, until it is left. Meanwhile nothing goes up."""
    target = turn.tier - 1
    stops = _stops_down(turn, target)
    reason = f"{capital(named(turn.ladder, gone))} expired, and nobody extended it."
    return Answer(None if stops else Move(turn.tier, target, StepCause.EXPIRY, reason), stops)


def _up(turn: Turn) -> Answer:
    """One tier up. A tier above the next that is wanted asks for the next one, which nobody may be unsure of."""
    target = turn.tier + 1
    asking = _longest_streak(turn)
    if asking is None or turn.judged.enters[target] is Verdict.UNKNOWN:
        return _NOTHING
    tier = turn.ladder.tiers[asking - 1]
    count = turn.state.entering[asking]
    if count >= tier.enter_samples and (stops := _stops_up(turn, target)):
        return Answer(notes=stops)
    why = f"{wanted(tier.enter, turn.judged.values, asking)}: {counts(count, tier.enter_samples)}"
    if count < tier.enter_samples:
        return Answer(notes=(Note(Because.COUNTING, f"{why}.", target),))
    reasons = gates.approval_reasons(turn, target)
    if not reasons:
        return Answer(Move(turn.tier, target, StepCause.SIGNALS, f"{why}."))
    approval = gates.usable(turn, target, ApprovalScope.STEP)
    if approval is None:
        name = capital(named(turn.ladder, target))
        notes = (Note(one, f"{name} needs an approval, {text}: {why}.", target, True) for one, text in reasons.items())
        return Answer(notes=tuple(notes), asks=(target,))
    reason = f"{why}; {approval.by} approved it: {approval.why}."
    return Answer(Move(turn.tier, target, StepCause.SIGNALS, reason, approval.id))


def _stops_up(turn: Turn, target: int) -> tuple[Note, ...]:
    return (
        *gates.brakes(turn, target),
        *gates.cap(turn, target),
        *gates.retry(turn, target),
        *gates.dwell(turn, target),
    )


def _stops_down(turn: Turn, target: int) -> tuple[Note, ...]:
    return (
        *gates.dwell(turn, target),
        *gates.cool_down(turn, target),
        *gates.cap(turn, target),
        *gates.retry(turn, target),
    )


def _longest_streak(turn: Turn) -> int | None:
    """The lowest tier above whose streak is complete; else the lowest with the fewest samples to go."""
    tiers = turn.ladder.tiers
    return min(
        turn.state.entering,
        key=lambda tier: (tiers[tier - 1].enter_samples - turn.state.entering[tier], tier),
        default=None,
    )


def _down(turn: Turn) -> Answer:
    """One tier down, when it would be quiet without the tier as well. Nobody is asked."""
    present = turn.present
    if present is None or not turn.state.leaving:
        return _NOTHING
    target = turn.tier - 1
    is_enough = turn.state.leaving >= present.exit_samples
    if is_enough and (stops := _stops_down(turn, target)):
        return Answer(notes=stops)
    why = left(present.exit, turn.judged.values, turn.judged.counterfactual, present.number)
    why = f"{why}: {counts(turn.state.leaving, present.exit_samples)}."
    if not is_enough:
        return Answer(notes=(Note(Because.COUNTING, why, target),))
    return Answer(Move(turn.tier, target, StepCause.SIGNALS, why))
