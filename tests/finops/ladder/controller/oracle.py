"""What a ladder may never do, said a second time and as plainly as can be: the controller is checked against it.

Nothing of the controller is used here. `broken` looks at one decision, `unearned` at all samples that led to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from controlplane.model.ladder import Approval, ApprovalScope, StepCause
from finops.ladder.deciding import Because, ControllerState, Decision, Given, Move
from finops.ladder.model import Condition, Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings

DAY = timedelta(hours=24)


def value_of(reading: Reading | None, sampled_at: datetime, now: datetime, stale_after: timedelta) -> Decimal | None:
    """The value, when it may be used."""
    if reading is None or reading.quality is not Quality.GOOD or reading.value is None:
        return None
    times = [sampled_at, *([reading.at] if reading.at else [])]
    in_time = sampled_at <= now and now - min(times) <= stale_after
    return reading.value if in_time and reading.value.is_finite() else None


def signal_value(ladder: Ladder, readings: Readings, name: str, now: datetime) -> Decimal | None:
    signal = ladder.signal(name)
    assert signal
    return value_of(readings.signals.get(name), readings.at, now, signal.stale_after)


def known(ladder: Ladder, condition: Condition, readings: Readings, now: datetime) -> bool:
    return all(signal_value(ladder, readings, each.signal, now) is not None for each in condition.comparisons)


def enters(ladder: Ladder, tier: int, readings: Readings, now: datetime) -> bool:
    """Known, and at the thresholds."""
    condition = ladder.tiers[tier - 1].enter
    if not known(ladder, condition, readings, now):
        return False
    said = [
        value >= each.threshold
        for each in condition.comparisons
        if (value := signal_value(ladder, readings, each.signal, now)) is not None
    ]
    return all(said) if condition.needs_all else any(said)


def exits(ladder: Ladder, tier: int, readings: Readings, now: datetime) -> bool:
    """Known, and below the thresholds if the tier's saving were spent."""
    declared = ladder.tiers[tier - 1]
    if not known(ladder, declared.exit, readings, now):
        return False
    saving = readings.savings.get(tier, declared.saving_per_hour)
    said = []
    for each in declared.exit.comparisons:
        value = signal_value(ladder, readings, each.signal, now)
        assert value is not None
        per_hour = readings.signals[each.signal].per_hour or Decimal(0)
        said.append(max(value, value + saving * per_hour) < each.threshold)
    return all(said) if declared.exit.needs_all else any(said)


def is_emergency(ladder: Ladder, tier: int, readings: Readings, now: datetime) -> bool:
    emergency = ladder.emergency
    if emergency is None or emergency.tier <= tier:
        return False
    groups = set()
    for each in emergency.comparisons:
        value = signal_value(ladder, readings, each.signal, now)
        if value is None:
            return False
        if value >= each.threshold:
            groups.add(next(signal.group for signal in ladder.signals if signal.name == each.signal))
    return len(groups) > 1


def budget_left(ladder: Ladder, readings: Readings, slo: str, now: datetime) -> Decimal | None:
    longest = max(each.stale_after for each in ladder.signals)
    return value_of(readings.brakes.get(slo), readings.at, now, longest)


def is_stopped(ladder: Ladder, state: ControllerState, given: Given, now: datetime) -> bool:
    held = given.hold is not None and (given.hold.until is None or now < given.hold.until)
    newest = max((at for at in (state.sampled_at, state.since, *state.moves) if at), default=now)
    odd_sample = given.readings.at > now or (state.sampled_at is not None and given.readings.at < state.sampled_at)
    return (
        held
        or given.is_killed
        or bool(given.theirs)
        or given.is_stepping
        or state.tier > ladder.top
        or newest > now
        or odd_sample
    )


def ended_tiers(ladder: Ladder, state: ControllerState, given: Given, now: datetime) -> set[int]:
    """Those in force that expired and that nobody extended."""
    ended = set()
    for tier, since in state.entered.items():
        declared = ladder.tiers[tier - 1]
        extended = any(
            each.scope is ApprovalScope.EXTEND and each.tier >= tier and _is_valid(each, ladder, now)
            for each in given.approvals
        )
        if declared.expires_after and now - since >= declared.expires_after and not extended:
            ended.add(tier)
    return ended


def _is_valid(approval: Approval, ladder: Ladder, now: datetime) -> bool:
    in_time = approval.at <= now < approval.until
    return in_time and not approval.used_by and not approval.withdrawn_at and approval.ladder == ladder.name


def broken(ladder: Ladder, state: ControllerState, given: Given, now: datetime, decision: Decision) -> list[str]:
    """Every promise that this decision breaks."""
    faults = [*_state_faults(ladder, state, given, now, decision)]
    move = decision.move
    if move is None:
        return faults
    if is_stopped(ladder, state, given, now):
        faults.append("it moves while something stops it")
    if decision.asks:
        faults.append("it moves and asks")
    if move.from_tier != state.tier or not 0 <= move.to_tier <= ladder.top:
        faults.append("it moves from where it is not, or to where nothing is")
        return faults
    if sum(now - at < DAY for at in state.moves) >= ladder.limits.changes_per_day:
        faults.append("it moves more often in a day than it may")
    times, last = state.failures.get(move.to_tier, (0, now))
    if times and now - last < ladder.limits.retry_after * min(2 ** (times - 1), 16):
        faults.append("it tries again too soon")
    return [*faults, *(_up if move.to_tier > move.from_tier else _down)(ladder, state, given, now, move)]


def _state_faults(
    ladder: Ladder, state: ControllerState, given: Given, now: datetime, decision: Decision
) -> Iterator[str]:
    after, readings = decision.state, given.readings
    if after.tier != state.tier:
        yield "deciding moved it"
    may_ask = {state.tier + 1, ladder.emergency.tier if ladder.emergency else 0}
    if not set(decision.asks) <= may_ask:
        yield "it asks for what is not next"
    if is_stopped(ladder, state, given, now):
        if after.entering or after.leaving or after.jumping:
            yield "samples count while something stops it"
        if not decision.notes:
            yield "it stops and does not say why"
        return
    yield from _count_faults(ladder, state, readings, now, after)
    conditions = [each.enter for each in ladder.tiers[state.tier :]]
    conditions += [ladder.tiers[state.tier - 1].exit] if state.tier else []
    is_blind = not all(known(ladder, each, readings, now) for each in conditions)
    if is_blind and not any(note.because is Because.NO_DATA and note.is_alert for note in decision.notes):
        yield "it is blind, and tells nobody"


def _count_faults(
    ladder: Ladder, state: ControllerState, readings: Readings, now: datetime, after: ControllerState
) -> Iterator[str]:
    for tier in range(state.tier + 1, ladder.top + 1):
        holds = enters(ladder, tier, readings, now)
        if after.entering.get(tier, 0) > (state.entering.get(tier, 0) + 1 if holds else 0):
            yield f"tier {tier} counts samples that do not ask for it"
    if after.leaving > (state.leaving + 1 if state.tier and exits(ladder, state.tier, readings, now) else 0):
        yield "it counts samples that do not let it leave"
    if after.jumping > (state.jumping + 1 if is_emergency(ladder, state.tier, readings, now) else 0):
        yield "it counts an emergency that is none"


def _up(ladder: Ladder, state: ControllerState, given: Given, now: datetime, move: Move) -> Iterator[str]:
    readings = given.readings
    for brake in ladder.brakes:
        left = budget_left(ladder, readings, brake.slo, now)
        if brake.from_tier <= move.to_tier and (left is None or left <= brake.minimum):
            yield "it degrades a flow whose budget is gone or unknown"
    if move.cause is StepCause.EMERGENCY:
        yield from _jump(ladder, state, given, now, move)
    else:
        yield from _step_up(ladder, state, given, now, move)


def _step_up(ladder: Ladder, state: ControllerState, given: Given, now: datetime, move: Move) -> Iterator[str]:
    readings = given.readings
    if move.cause is not StepCause.SIGNALS or move.to_tier != move.from_tier + 1:
        yield "it goes up by more than one tier, or for no reason"
    if not known(ladder, ladder.tiers[move.to_tier - 1].enter, readings, now):
        yield "it goes up half-blind"
    if not any(enters(ladder, tier, readings, now) for tier in range(move.to_tier, ladder.top + 1)):
        yield "it goes up, and nothing asks for it"
    if state.tier and exits(ladder, state.tier, readings, now):
        yield "it goes up while it could go down"
    if state.tier and state.since and now - state.since < ladder.tiers[state.tier - 1].dwell:
        yield "it goes up before its dwell is over"
    if ended_tiers(ladder, state, given, now):
        yield "it goes up from a tier that expired"
    if _needs_approval(ladder, state, given, now, move.to_tier):
        yield from _approved(ladder, given, now, move, ApprovalScope.STEP)


def _needs_approval(ladder: Ladder, state: ControllerState, given: Given, now: datetime, tier: int) -> bool:
    flat = False
    if ladder.growth:
        cost = signal_value(ladder, given.readings, ladder.growth.signal, now)
        flat = cost is None or cost < ladder.growth.flat_below
    return ladder.tiers[tier - 1].needs_approval or ladder.mode is Mode.RECOMMEND or tier in state.locked or flat


def _approved(ladder: Ladder, given: Given, now: datetime, move: Move, scope: ApprovalScope) -> Iterator[str]:
    used = [each for each in given.approvals if each.id == move.approval]
    if not any(each.scope is scope and each.tier == move.to_tier and _is_valid(each, ladder, now) for each in used):
        yield "it goes past an approval"


def _jump(ladder: Ladder, state: ControllerState, given: Given, now: datetime, move: Move) -> Iterator[str]:
    if not is_emergency(ladder, state.tier, given.readings, now) or state.jumping + 1 < (
        ladder.emergency.samples if ladder.emergency else 1
    ):
        yield "it jumps, and there is no emergency"
    if ladder.emergency is None or move.to_tier != ladder.emergency.tier:
        yield "it jumps somewhere else"
    yield from _approved(ladder, given, now, move, ApprovalScope.JUMP)


def _down(ladder: Ladder, state: ControllerState, given: Given, now: datetime, move: Move) -> Iterator[str]:
    readings, declared = given.readings, ladder.tiers[state.tier - 1]
    if move.to_tier != move.from_tier - 1:
        yield "it goes down by more than one tier"
    if state.since and now - state.since < ladder.limits.cool_down:
        yield "it goes down before it has cooled down"
    if move.cause is not StepCause.BRAKE and state.since and now - state.since < declared.dwell:
        yield "it goes down before its dwell is over"
    if move.cause is StepCause.SIGNALS:
        if not exits(ladder, state.tier, readings, now):
            yield "it goes down, and signals do not let it"
        if any(enters(ladder, tier, readings, now) for tier in range(state.tier, ladder.top + 1)):
            yield "it goes down while signals ask for the tier"
    elif move.cause is StepCause.BRAKE:
        gone = [
            brake
            for brake in ladder.brakes
            if brake.releases
            and brake.from_tier <= state.tier
            and (left := budget_left(ladder, readings, brake.slo, now)) is not None
            and left <= brake.minimum
        ]
        if not gone:
            yield "it says that a brake released it, and none did"
    elif move.cause is not StepCause.EXPIRY or not ended_tiers(ladder, state, given, now):
        yield "it says that the tier expired, and it did not"


@dataclass(frozen=True, slots=True)
class Seen:
    """One turn as it happened."""

    state: ControllerState
    given: Given
    now: datetime
    decision: Decision


def unearned(ladder: Ladder, turns: Sequence[Seen]) -> list[str]:
    """Whether the last of these turns, which moves by its signals, had enough samples in a row for it."""
    last = turns[-1]
    move = last.decision.move
    if move is None or move.cause is not StepCause.SIGNALS:
        return []
    is_up = move.to_tier > move.from_tier
    wanted = [each.enter_samples for each in ladder.tiers[move.to_tier - 1 :]] if is_up else []
    row = [*_row(ladder, turns)]
    if not is_up:
        count = _held(row, lambda seen: exits(ladder, move.from_tier, seen.given.readings, seen.now))
        return [] if count >= ladder.tiers[move.from_tier - 1].exit_samples else ["it goes down too soon"]
    for tier, samples in enumerate(wanted, move.to_tier):
        if _held(row, lambda seen, tier=tier: enters(ladder, tier, seen.given.readings, seen.now)) >= samples:  # type: ignore[misc]
            return []
    return ["it goes up too soon"]


def _row(ladder: Ladder, turns: Sequence[Seen]) -> Iterator[Seen]:
    """Turns, newest first, back to the last move or stop, or to the last gap between samples."""
    newer: datetime | None = None
    gap = max(3 * ladder.every, max(each.stale_after for each in ladder.signals))
    for position, seen in enumerate(reversed(turns)):
        at = seen.given.readings.at
        if (position and seen.decision.move) or is_stopped(ladder, seen.state, seen.given, seen.now):
            return
        if newer is not None and newer - at > gap:
            return
        newer = at
        yield seen


def _held(row: Sequence[Seen], holds: object) -> int:
    """How many different samples, newest first, held without a break."""
    times = set()
    for seen in row:
        if not holds(seen):  # type: ignore[operator]
            break
        times.add(seen.given.readings.at)
    return len(times)
