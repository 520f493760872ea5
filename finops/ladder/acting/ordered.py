"""Carries out what people ordered: a step or a drill goes tier by tier, one verified step a turn.

An order ignores what signals say. It does not ignore the kill switch, a person's edit, an approval that a tier wants,
nor a hold that somebody set after it had begun.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import (
    Approval,
    ApprovalScope,
    LadderHold,
    LadderOrder,
    LadderState,
    OrderKind,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from finops.ladder.acting import plan
from finops.ladder.acting.journal import Journal, kept, unmoved
from finops.ladder.acting.taking_back import close
from finops.ladder.model import Ladder, Mode

TOO_OLD: Final = timedelta(minutes=15)  # an order that nobody took up by then would come as a surprise
_START, _WAY, _STEP, _STEPS, _FAILED = "start", "way", "step", "steps", "failed"
_UP, _DOWN = "up", "down"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an order is judged by, read in one transaction. `last` is the step that it made last."""

    state: LadderState
    hold: LadderHold | None
    approvals: list[Approval]
    last: StepRecord | None


@dataclass(frozen=True, slots=True)
class Next:
    """What comes of an order now: a step that was written down, or its end."""

    order: LadderOrder
    step: StepRecord | None = None


def next_step(journal: Journal, order: LadderOrder, killed: str, ids: Callable[[], str], now: datetime) -> Next:
    """Begin the order's next step, or end it."""
    found = _circumstances(journal, order, now)
    order = _turned(order, found)
    goal = _goal(order, found.state.tier)
    why = _why_not(order, found, killed, now)
    if not why and goal == found.state.tier:
        return _reached(journal, order, now)
    target = found.state.tier + (1 if goal > found.state.tier else -1)
    approval, refusal = _allowed(journal.ladder, found, target, now)
    if why or refusal:
        return _end(journal, order, why or refusal, now)
    step = _step(journal, order, found, target, approval, ids(), now)
    begun = replace(order, begun_at=order.begun_at or now, progress=_progress(order, found, step))
    return Next(begun, journal.begin(step, order=begun))


def journeys_of(ladder: Ladder | None, state: LadderState, target: int, recorded: tuple[str, ...]) -> tuple[str, ...]:
    """The journeys that must be green after a step: those of the tier that it goes to; to full service, of the lowest.

    Of a tier that is not declared any more those by which it was verified when it was entered.
    """
    tiers = range(state.tier + 1, target + 1) if target > state.tier else (max(target, 1),)
    found = [ladder.tier(number) for number in tiers] if ladder is not None else []
    if not found or any(tier is None for tier in found):
        return recorded
    return tuple(dict.fromkeys(name for tier in found if tier is not None for name in tier.journeys))


def _circumstances(journal: Journal, order: LadderOrder, now: datetime) -> Circumstances:
    step = (order.progress or {}).get(_STEP)
    with journal.store.transaction(read_only=True) as transaction:
        ladders = transaction.ladders
        return Circumstances(
            ladders.state(journal.name) or unmoved(journal.name, now),
            ladders.hold(journal.name),
            ladders.approvals(journal.name, now),
            ladders.step(step) if isinstance(step, str) else None,
        )


def _turned(order: LadderOrder, found: Circumstances) -> LadderOrder:
    """A drill whose way up is over, reached or failed, goes down."""
    progress: dict[str, JSON] = {_START: found.state.tier, _WAY: _UP, _STEPS: [], **(order.progress or {})}
    if order.kind is OrderKind.DRILL and progress[_WAY] == _UP:
        failed = found.last is not None and found.last.outcome is not StepOutcome.COMMITTED
        if failed and found.last is not None:
            progress[_FAILED] = _failure(found.last)
        if failed or found.state.tier == order.argument:
            progress[_WAY] = _DOWN
            progress[_STEP] = None
    return replace(order, progress=progress)


def _goal(order: LadderOrder, present: int) -> int:
    progress = order.progress or {}
    wanted = progress.get(_START) if order.kind is OrderKind.DRILL and progress.get(_WAY) == _DOWN else order.argument
    return wanted if isinstance(wanted, int) else present


def _why_not(order: LadderOrder, found: Circumstances, killed: str, now: datetime) -> str:
    """Why the order goes no further; empty when it does."""
    hold, last = found.hold, found.last
    if killed:
        return f"the kill switch is set: {killed}"
    if order.begun_at is None and now - order.at > TOO_OLD:
        return "nobody took it up within 15 minutes"
    if found.state.theirs:
        return f"people changed {', '.join(sorted(found.state.theirs))}"
    if (order.progress or {}).get(_STEP) and last is not None and last.outcome is not StepOutcome.COMMITTED:
        return _failure(last)
    if order.begun_at is not None and hold is not None and hold.is_on(now) and hold.since > order.begun_at:
        return f"{hold.by} holds the ladder: {hold.why}"
    return ""


def _allowed(ladder: Ladder | None, found: Circumstances, target: int, now: datetime) -> tuple[str, str]:
    """The approval that a step up uses, and why it may not be made; both empty when nothing is wanted."""
    if target <= found.state.tier:
        return "", ""
    tier = ladder.tier(target) if ladder is not None else None
    if ladder is None or tier is None:
        return "", f"tier {target} is not declared any more"
    if ladder.mode is Mode.SHADOW:
        return "", "the ladder is in shadow mode"
    if found.state.applied and found.state.store != ladder.store:
        return "", f"the tiers in force are in flag store {found.state.store}"
    if not tier.needs_approval:
        return "", ""
    usable = [
        each.id
        for each in found.approvals
        if each.tier == target and each.scope is ApprovalScope.STEP and each.is_valid(now)
    ]
    return (usable[0], "") if usable else ("", f"tier {target} needs an approval")


def _step(
    journal: Journal, order: LadderOrder, found: Circumstances, target: int, approval: str, id_: str, now: datetime
) -> StepRecord:
    state, ladder = found.state, journal.ladder
    if target > state.tier and ladder is not None:
        changes = plan.changes_up(ladder, state.tier, target, kept(state))
    else:
        changes = plan.changes_down(state, target)
    recorded = journal.step(state.applied[-1].step) if state.applied else None
    return StepRecord(
        id=id_,
        ladder=journal.name,
        store=ladder.store if target > state.tier and ladder is not None else state.store,
        from_tier=state.tier,
        to_tier=target,
        cause=StepCause.DRILL if order.kind is OrderKind.DRILL else StepCause.PERSON,
        reason=order.why,
        actor=order.by,
        decided_at=now,
        phase=StepPhase.INTENT,
        changes=changes,
        journeys=journeys_of(ladder, state, target, recorded.journeys if recorded else ()),
        approval=approval,
        order=order.id,
    )


def _progress(order: LadderOrder, found: Circumstances, step: StepRecord) -> dict[str, JSON]:
    progress = dict(order.progress or {})
    made = progress.get(_STEPS)
    progress[_STEPS] = [*(made if isinstance(made, list) else []), step.id]
    return {**progress, _STEP: step.id, "tier": found.state.tier}


def _reached(journal: Journal, order: LadderOrder, now: datetime) -> Next:
    failed = (order.progress or {}).get(_FAILED)
    if failed:
        return _end(journal, order, f"{failed}. It is back at tier {_goal(order, 0)}", now)
    if order.kind is OrderKind.STEP:
        return _end(journal, order, f"it is at tier {order.argument}", now, is_done_well=True)
    return _end(journal, order, f"up to tier {order.argument} and back, every step verified", now, is_done_well=True)


def _end(journal: Journal, order: LadderOrder, why: str, now: datetime, *, is_done_well: bool = False) -> Next:
    """Write the end down, with how long each of its steps took."""
    made = (order.progress or {}).get(_STEPS)
    with journal.store.transaction(lease=journal.lease) as transaction:
        ids = [each for each in made if isinstance(each, str)] if isinstance(made, list) else []
        steps = [step for each in ids if (step := transaction.ladders.step(each)) is not None]
        timed: list[JSON] = [_timing(step) for step in steps]
        order = replace(order, progress={**(order.progress or {}), "timings": timed})
        return Next(close(journal, transaction, order, why, now, is_done_well=is_done_well))


def _timing(step: StepRecord) -> dict[str, JSON]:
    """Seconds from the decision on, as decimal strings; absent where it did not come that far."""
    moments = {"written": step.written_at, "visible": step.visible_at, "verified": step.verified_at}
    seconds: dict[str, JSON] = {
        f"{name}_seconds": f"{(at - step.decided_at).total_seconds():.3f}" for name, at in moments.items() if at
    }
    outcome = step.outcome.value if step.outcome else ""
    return {"step": step.id, "from": step.from_tier, "to": step.to_tier, "outcome": outcome, **seconds}


def _failure(step: StepRecord) -> str:
    outcome = step.outcome.value if step.outcome else "not ended"
    return f"the step from tier {step.from_tier} to {step.to_tier} was {outcome}: {step.detail}"
