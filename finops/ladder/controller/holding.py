"""What keeps a ladder from moving at all, whatever its signals say."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from controlplane import wording
from finops.ladder.controller.moving import DAY, clock_back, set_back, unsampled
from finops.ladder.controller.telling import joined
from finops.ladder.deciding import Because, ControllerState, Given, Note
from finops.ladder.model import Ladder


def holds(ladder: Ladder, state: ControllerState, given: Given, now: datetime) -> tuple[Note, ...]:
    """Every reason to stay; none when the ladder may go by its signals."""
    return (*_people(given, now), *_tier(ladder, state), *_clock(ladder, state, now), *_sample(state, given, now))


def held(state: ControllerState, given: Given, now: datetime) -> ControllerState:
    """The state of a ladder that stays: nothing counts, and what it saw meanwhile counts no more when it is free.

    What is remembered may be ahead of `now`: the clock went back. Within a day it waits until time has caught up. More
    than that, and the clock was wrong before: then all of it counts as if it had just happened.
    """
    if clock_back(state, now) > DAY:
        state = set_back(state, now)
    return unsampled(seen(state, given.readings.at, now))


def seen(state: ControllerState, sampled_at: datetime, now: datetime) -> ControllerState:
    """This sample was seen, and does not count again."""
    is_newer = sampled_at <= now and (state.sampled_at is None or sampled_at > state.sampled_at)
    return replace(state, sampled_at=sampled_at) if is_newer else state


def _people(given: Given, now: datetime) -> Iterator[Note]:
    if given.is_killed:
        yield Note(Because.KILLED, "The kill switch is set: no flag is written and nothing moves.")
    hold = given.hold
    if hold is not None and hold.is_on(now):
        end = f"until {wording.utc(hold.until)}" if hold.until else "until somebody lifts it"
        why = f": {hold.why}" if hold.why else ""
        yield Note(Because.HELD, f"{hold.by} holds the ladder {end}{why}.")
    if given.theirs:
        flags = joined(given.theirs)
        text = f"Somebody changed {flags} while a tier is in force. It waits to be told whose values shall stand."
        yield Note(Because.THEIRS, text, is_alert=True)
    if given.is_stepping:
        yield Note(Because.STEPPING, "A step is under way: nothing is decided until it has ended.")


def _tier(ladder: Ladder, state: ControllerState) -> Iterator[Note]:
    if state.tier > ladder.top:
        text = (
            f"Tier {state.tier} is in force, and the ladder declares {ladder.top} only. "
            "It is left by people: flyball ladder step."
        )
        yield Note(Because.UNKNOWN_TIER, text, state.tier, is_alert=True)


def _clock(ladder: Ladder, state: ControllerState, now: datetime) -> Iterator[Note]:
    back = clock_back(state, now)
    if back > timedelta(0):
        text = f"The clock went back by {wording.duration(back)}: the ladder stays until time has caught up."
        yield Note(Because.CLOCK, text, is_alert=back > ladder.every)


def _sample(state: ControllerState, given: Given, now: datetime) -> Iterator[Note]:
    at = given.readings.at
    if at > now:
        text = f"The sample is from the future ({wording.utc(at)}): it does not count."
        yield Note(Because.NO_DATA, text, is_alert=True)
    elif state.sampled_at is not None and at < state.sampled_at:
        text = f"The sample ({wording.utc(at)}) is older than the one before: it does not count."
        yield Note(Because.NO_DATA, text, is_alert=True)
