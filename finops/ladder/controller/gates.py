"""What keeps a ladder from a move that its conditions ask for. Each gate is a note that says why, or nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from controlplane import wording
from controlplane.model.ladder import Approval, ApprovalScope
from finops.ladder.controller.judging import fault
from finops.ladder.controller.moving import DAY
from finops.ladder.controller.telling import capital, figure, named, until
from finops.ladder.controller.turn import Turn
from finops.ladder.deciding import Because, Note
from finops.ladder.model import Brake, Ladder, Mode
from finops.ladder.readings import Readings

_MOST_DOUBLINGS: Final = 4  # 16 times the first wait


def contradiction(turn: Turn) -> Note:
    """The same sample asks to leave the tier in force and to enter it, or one above."""
    asking = turn.judged.asking(max(turn.tier, 1)) or (turn.ladder.emergency.tier if turn.ladder.emergency else 0)
    text = (
        f"Signals contradict each other: they ask to leave {named(turn.ladder, turn.tier)} "
        f"and for {named(turn.ladder, asking)} at once. The ladder stays."
    )
    return Note(Because.CONTRADICTION, text, turn.tier, is_alert=True)


def dwell(turn: Turn, target: int) -> Iterator[Note]:
    """The tier in force is kept for its time, from the last move."""
    present, since = turn.present, turn.state.since
    if present and since and (rest := present.dwell - (turn.now - since)) > timedelta(0):
        name = named(turn.ladder, present.number)
        yield Note(Because.DWELL, f"{capital(name)} is kept {until(turn.now, rest)}.", target)


def cool_down(turn: Turn, target: int) -> Iterator[Note]:
    """A while lies between any move and a move down."""
    since = turn.state.since
    if since and (rest := turn.ladder.limits.cool_down - (turn.now - since)) > timedelta(0):
        text = f"No step down to {named(turn.ladder, target)} {until(turn.now, rest)}: the ladder cools down."
        yield Note(Because.COOL_DOWN, text, target)


def cap(turn: Turn, target: int) -> Iterator[Note]:
    """Only so many moves within any 24 h, undone ones too."""
    recent = [at for at in turn.state.moves if turn.now - at < DAY]
    most = turn.ladder.limits.changes_per_day
    if len(recent) >= most:
        text = f"{named(turn.ladder, target)} has to wait: {len(recent)} changes in 24 h, and {most} are allowed."
        if recent and most:
            text += f" The next one may come at {wording.utc(sorted(recent)[-most] + DAY)}."
        yield Note(Because.CAP, capital(text), target, is_alert=True)


def retry(turn: Turn, target: int) -> Iterator[Note]:
    """A step that was undone waits, twice as long each time."""
    times, last = turn.state.failures.get(target, (0, turn.now))
    if times and (rest := retry_wait(turn.ladder, times) - (turn.now - last)) > timedelta(0):
        tries = "The last step" if times == 1 else f"The last {times} steps"
        text = f"{tries} to {named(turn.ladder, target)} failed: it is not tried again {until(turn.now, rest)}."
        yield Note(Because.RETRY_LATER, text, target)


def retry_wait(ladder: Ladder, times: int) -> timedelta:
    """How long to wait after so many failures in a row (at least one)."""
    doubled: int = 1 << min(times - 1, _MOST_DOUBLINGS)
    return ladder.limits.retry_after * doubled


def brakes(turn: Turn, target: int) -> Iterator[Note]:
    """No tier that degrades a flow is entered when its error budget is gone, or when nobody knows."""
    for brake in turn.ladder.brakes:
        if brake.from_tier <= target and (why := braking(turn.ladder, brake, turn.given.readings, turn.now)):
            text = f"{named(turn.ladder, target)} is not entered: {why}."
            yield Note(Because.BRAKE, capital(text), target, is_alert=True)


def braking(ladder: Ladder, brake: Brake, readings: Readings, now: datetime) -> str:
    """Why a brake bites, empty when it does not. A budget that nobody knows counts as gone here."""
    unknown = brake_fault(ladder, brake, readings, now)
    if unknown:
        return f"the error budget of {brake.slo} is not known, {unknown}"
    left = readings.brakes[brake.slo].value
    if left is None or left > brake.minimum:
        return ""
    least = wording.exact_percent(brake.minimum)
    return f"{brake.slo} has {figure(left * 100, brake.minimum * 100)} % of its error budget left, no more than {least}"


def brake_fault(ladder: Ladder, brake: Brake, readings: Readings, now: datetime) -> str:
    """Why the error budget of a brake cannot be told; empty when it can."""
    return fault(readings.brakes.get(brake.slo), readings.at, now, ladder.brakes_usable_for)


def usable(turn: Turn, target: int, scope: ApprovalScope) -> Approval | None:
    """The valid approval of this scope for this very tier; of several the one that ends first."""
    fitting = [
        each
        for each in turn.given.approvals
        if each.tier == target and each.scope is scope and each.ladder == turn.ladder.name and each.is_valid(turn.now)
    ]
    return min(fitting, key=lambda each: (each.until, each.id)) if fitting else None


def approval_reasons(turn: Turn, target: int) -> dict[Because, str]:
    """Why a step up needs an approval; nothing when it needs none."""
    tier = turn.ladder.tier(target)
    reasons: dict[Because, str] = {}
    if tier and tier.needs_approval:
        reasons[Because.NEEDS_APPROVAL] = "the tier wants one"
    elif turn.ladder.mode is Mode.RECOMMEND:
        reasons[Because.NEEDS_APPROVAL] = "the ladder is in mode recommend"
    if target in turn.state.locked:
        reasons[Because.LOCKED] = "it expired"
    growing = _growth(turn)
    if growing:
        reasons[Because.GROWTH] = growing
    return reasons


def _growth(turn: Turn) -> str:
    """Why spend may be right as it is; empty when it is not, or when nobody wants to know."""
    growth = turn.ladder.growth
    if growth is None:
        return ""
    value = turn.judged.values.get(growth.signal)
    if value is None:
        return f"nobody knows whether {growth.signal} is flat"
    if value >= growth.flat_below:
        return ""
    told = figure(value, growth.flat_below)
    return f"spend grows because use does ({growth.signal} is {told}, below {growth.flat_below.normalize():f})"
