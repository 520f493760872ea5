"""Samples in a row: a sample counts once, and only one that is good and not too far from the one before."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from finops.ladder.controller.judging import Judged, Verdict
from finops.ladder.deciding import ControllerState
from finops.ladder.model import Ladder

_INTERVALS: Final = 3


def in_a_row(ladder: Ladder, gap: timedelta) -> bool:
    """Whether two samples that lie so far apart are neighbours: three intervals, or the time until data is stale."""
    return gap <= _INTERVALS * ladder.every or any(gap <= each.stale_after for each in ladder.signals)


def counted(
    ladder: Ladder, state: ControllerState, judged: Judged, sampled_at: datetime, *, is_contradictory: bool
) -> ControllerState:
    """The state with this sample in its streaks.

    A condition that holds counts one more, up to what is wanted; one that does not, or that nobody can tell, starts
    again from nothing, and so do those that contradict each other; but not an emergency, which two independent signals
    tell and a person has to confirm. A sample that was counted already adds nothing, yet ends what no longer holds.
    """
    last = state.sampled_at
    more = 1 if last is None or sampled_at > last else 0
    is_next = last is None or in_a_row(ladder, sampled_at - last)
    if not is_next:
        state = replace(state, entering={}, leaving=0, jumping=0)
    entering = {
        each.number: count
        for each in ladder.tiers[state.tier :]
        if judged.enters[each.number] is Verdict.HOLDS
        and not is_contradictory
        and (count := min(state.entering.get(each.number, 0) + more, each.enter_samples))
    }
    present = ladder.tier(state.tier)
    leaving = jumping = 0
    if present and judged.exit is Verdict.HOLDS and not is_contradictory:
        leaving = min(state.leaving + more, present.exit_samples)
    if ladder.emergency and ladder.emergency.tier > state.tier and judged.emergency is Verdict.HOLDS:
        jumping = min(state.jumping + more, ladder.emergency.samples)
    return ControllerState(
        tier=state.tier,
        since=state.since,
        entering=entering,
        leaving=leaving,
        jumping=jumping,
        moves=state.moves,
        entered=state.entered,
        failures=state.failures,
        locked=state.locked,
        sampled_at=sampled_at if more else last,
    )
