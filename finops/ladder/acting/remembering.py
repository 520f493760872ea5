"""What the controller remembers of a ladder, kept among its counters; and how it hears what became of a move."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.ladder import LadderState, StepOutcome, StepRecord
from finops.ladder.controller import Restored, failed, initial, moved, state_as_json, state_from_json
from finops.ladder.deciding import ControllerState, Move
from finops.ladder.model import Ladder

ACTOR: Final = "flyball"
"""Who acts where no person asked for it."""
CONTROLLER: Final = "controller"
_DAY: Final = timedelta(hours=24)


def remembered(ladder: Ladder, state: LadderState | None, steps: Sequence[StepRecord], now: datetime) -> Restored:
    """What the controller knew last of a ladder that acts. `steps` are those of the last day."""
    tried = [step for step in steps if step.ended_at is not None and step.outcome is not StepOutcome.REFUSED]
    moves = [step.ended_at for step in tried if step.ended_at is not None]
    clean = initial(ladder, now, state.applied if state else (), moves)
    return state_from_json(_kept(state), clean, tier=state.tier if state else 0)


def remembered_virtually(ladder: Ladder, state: LadderState | None, now: datetime) -> ControllerState:
    """What the controller knew last of a ladder that only says what it would do."""
    return state_from_json(_kept(state), initial(ladder, now)).state


def with_memory(counters: Mapping[str, JSON], memory: ControllerState) -> dict[str, JSON]:
    """A ladder's counters with what its controller knows now."""
    return {**counters, CONTROLLER: state_as_json(memory)}


def after_commit(ladder: Ladder | None, state: LadderState, step: StepRecord, now: datetime) -> dict[str, JSON]:
    """A ladder's counters once a step stands. Of a ladder that is not declared nothing is remembered."""
    if ladder is None:
        return {key: value for key, value in state.counters.items() if key != CONTROLLER}
    memory = remembered(ladder, state, (), now).state
    return with_memory(state.counters, moved(ladder, memory, _move(step), now))


def after_failure(ladder: Ladder | None, state: LadderState, step: StepRecord, now: datetime) -> dict[str, JSON]:
    """A ladder's counters once a step was undone: it is tried again later."""
    if ladder is None:
        return dict(state.counters)
    memory = remembered(ladder, state, (), now).state
    return with_memory(state.counters, failed(ladder, memory, _move(step), now))


def recent(now: datetime) -> datetime:
    """From when on steps matter to the controller."""
    return now - _DAY


def _kept(state: LadderState | None) -> Mapping[str, JSON]:
    kept = state.counters.get(CONTROLLER) if state else None
    return kept if isinstance(kept, dict) else {}


def _move(step: StepRecord) -> Move:
    return Move(step.from_tier, step.to_tier, step.cause, step.reason, step.approval)
