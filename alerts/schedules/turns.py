"""Who is on call when: rotations one over the other, overrides over all of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from alerts.schedules.model import LONGEST_LOOK, Schedule, Turn
from alerts.schedules.rotating import boundaries, participant_at
from controlplane.calendar.zones import zone

OVERRIDE: Final = "override"  # by whom a turn is that no rotation gives
_MONTH: Final = timedelta(days=31)
_INSTANT: Final = timedelta(microseconds=1)
_LENGTHS: Final = (timedelta(days=2), timedelta(days=28), timedelta(days=365))  # one after the other: most are short


def on_call(schedule: Schedule, at: datetime) -> str:
    """Who is on call at `at` (aware): the name of a Receiver; empty while nobody is."""
    return _holder(schedule, at)[0]


def turns(schedule: Schedule, start: datetime, end: datetime) -> tuple[Turn, ...]:
    """All of [start, end) (aware) as turns in order, each beginning where the one before ends.

    Neighbours differ in who is on call or by what. Times when nobody is are turns without a participant.
    Raises ValueError for more than `LONGEST_LOOK`.
    """
    if end - start > LONGEST_LOOK:
        raise ValueError(f"more than {LONGEST_LOOK.days} days")
    if start >= end:
        return ()
    where = zone(schedule.zone)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    cuts = {start, end}
    for rotation in schedule.rotations:
        cuts.update(boundaries(rotation, where, start, end))
    for override in schedule.overrides:
        cuts.update(each for each in (override.start, override.end) if start < each < end)
    found: list[Turn] = []
    for first, last in pairwise(sorted(cuts)):
        participant, by = _holder(schedule, first)
        goes_on = bool(found) and (found[-1].participant, found[-1].by) == (participant, by)
        found.append(Turn(found.pop().start if goes_on else first, last, participant, by))
    return tuple(found)


def whole_turns(schedule: Schedule, start: datetime, end: datetime) -> tuple[Turn, ...]:
    """`turns`, but the first one from where it began on, as far as a month before."""
    before = min(_MONTH, LONGEST_LOOK - (end - start))
    return tuple(turn for turn in turns(schedule, start - before, end) if turn.end > start)


def gaps(schedule: Schedule, start: datetime, end: datetime) -> tuple[Turn, ...]:
    """When nobody is on call within [start, end)."""
    return tuple(turn for turn in turns(schedule, start, end) if not turn.participant)


def turn_at(schedule: Schedule, at: datetime) -> Turn:
    """The instant at `at`: who, and by which rotation."""
    return turns(schedule, at, at + _INSTANT)[0]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Somebody else comes on call: `before` and `after` are names of Receivers, empty for nobody."""

    at: datetime
    before: str
    after: str


def hand_overs(schedule: Schedule, start: datetime, end: datetime) -> tuple[HandOver, ...]:
    """Every change of who is on call within (start, end], in order."""
    return tuple(
        HandOver(after.start, before.participant, after.participant)
        for before, after in pairwise(turns(schedule, start, end + _INSTANT))
        if before.participant != after.participant
    )


def next_hand_over(schedule: Schedule, at: datetime) -> HandOver | None:
    """The first one after `at`; None when there is none within a year."""
    for length in _LENGTHS:
        if found := hand_overs(schedule, at, at + length):
            return found[0]
    return None


def next_turns(schedule: Schedule, at: datetime, count: int) -> tuple[Turn, ...]:
    """The turn at `at`, from then on, and those after it, `count` at most; the last known one ends in a year."""
    for length in _LENGTHS:
        found = turns(schedule, at, at + length)
        if len(found) > count:  # the last of them may go on
            break
    return found[:count]


def _holder(schedule: Schedule, at: datetime) -> tuple[str, str]:
    for override in reversed(schedule.overrides):
        if override.start <= at < override.end:
            return override.participant, OVERRIDE
    where = zone(schedule.zone)
    for rotation in reversed(schedule.rotations):
        if participant := participant_at(rotation, where, at):
            return participant, rotation.name
    return "", ""
