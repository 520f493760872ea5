"""What a move leaves behind: the state after a step was committed, or undone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.ladder import AppliedTier, StepCause
from finops.ladder.deciding import ControllerState, Move
from finops.ladder.model import Ladder

DAY: Final = timedelta(hours=24)


def initial(
    ladder: Ladder, now: datetime, applied: Sequence[AppliedTier] = (), moves: Sequence[datetime] = ()
) -> ControllerState:
    """Where a ladder starts that nothing is remembered of.

    `applied` are the tiers in force and `moves` when steps of the last 24 h ended, as far as they are known. With a
    tier in force dwell and cool-down start anew, and the times of people's approvals go on from when it was entered.
    """
    entered = {each.tier: each.since for each in applied}
    recent = tuple(sorted(at for at in moves if now - at < DAY))
    tier = applied[-1].tier if applied else 0
    return ControllerState(tier=tier, since=now if tier or recent else None, moves=recent, entered=entered)


def moved(ladder: Ladder, state: ControllerState, move: Move, at: datetime) -> ControllerState:
    """The step of `move` was committed at `at`, whoever asked for it. Streaks begin anew in the new tier.

    An expired tier is locked when it is left because of that. One that is entered is open: somebody approved it.
    """
    to, was = move.to_tier, state.tier
    entered = {tier: since for tier, since in state.entered.items() if tier <= min(to, was)}
    entered.update(dict.fromkeys(range(was + 1, to + 1), at))
    locked = state.locked - frozenset(range(was + 1, to + 1))
    if move.cause is StepCause.EXPIRY and _is_over(ladder, state, at):
        locked |= {was}
    reached = range(was + 1, to + 1) if to > was else (to,)
    failures = {tier: failed for tier, failed in state.failures.items() if tier not in reached}
    return replace(unsampled(_remembering(state, at)), tier=to, entered=entered, locked=locked, failures=failures)


def _is_over(ladder: Ladder, state: ControllerState, at: datetime) -> bool:
    """Whether the tier in force itself expired, and not only one below it: then it has to go, but stays open."""
    tier, since = ladder.tier(state.tier), state.entered.get(state.tier)
    if tier is None or since is None:
        return True
    return tier.expires_after is not None and at - since >= tier.expires_after


def failed(ladder: Ladder, state: ControllerState, move: Move, at: datetime) -> ControllerState:
    """The step of `move` was undone, or yielded to a person: it counts as a move, and is tried again later."""
    failures: Mapping[int, tuple[int, datetime]] = {
        **state.failures,
        move.to_tier: (state.failures.get(move.to_tier, (0, at))[0] + 1, at),
    }
    return replace(unsampled(_remembering(state, at)), failures=failures)


def unsampled(state: ControllerState) -> ControllerState:
    """Nothing counts yet: what moves the ladder next must be seen from here on."""
    if not (state.entering or state.leaving or state.jumping):
        return state
    return replace(state, entering={}, leaving=0, jumping=0)


def _remembering(state: ControllerState, at: datetime) -> ControllerState:
    return replace(state, since=at, moves=(*(each for each in state.moves if at - each < DAY), at))


def clock_back(state: ControllerState, now: datetime) -> timedelta:
    """By how much what is remembered is ahead of `now`; nothing when it is not."""
    known = [at for at in (state.sampled_at, state.since, *state.moves[-1:]) if at is not None and at > now]
    return max(known) - now if known else timedelta(0)


def set_back(state: ControllerState, now: datetime) -> ControllerState:
    """Every time that lies ahead becomes `now`: as if it had all just happened, so that limits count from here."""
    return replace(
        state,
        since=min(state.since, now) if state.since else None,
        sampled_at=min(state.sampled_at, now) if state.sampled_at else None,
        moves=tuple(min(at, now) for at in state.moves),
        entered={tier: min(at, now) for tier, at in state.entered.items()},
        failures={tier: (times, min(at, now)) for tier, (times, at) in state.failures.items()},
    )
