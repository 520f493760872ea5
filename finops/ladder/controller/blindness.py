"""What a ladder cannot see: it holds for that, and people are told."""

from collections.abc import Iterator, Sequence

from finops.ladder.controller.gates import brake_fault
from finops.ladder.controller.judging import fault
from finops.ladder.controller.telling import named
from finops.ladder.controller.turn import Turn
from finops.ladder.deciding import Because, Note
from finops.ladder.model import Comparison


def blind(turn: Turn) -> Iterator[Note]:
    """One note, at most, of every signal that is not good although a condition that matters now refers to it.

    And of brakes that could release the tier in force. One, so that people are told once of all that is dark.
    """
    said = [*_signals(turn), *_brakes(turn)]
    if said:
        yield Note(Because.NO_DATA, " ".join(said), turn.tier, is_alert=True)


def _signals(turn: Turn) -> Iterator[str]:
    values, readings = turn.judged.values, turn.given.readings
    if None not in values.values():
        return
    for signal in turn.ladder.signals:
        if values[signal.name] is None and (held := _held(turn, signal.name)):
            why = fault(readings.signals.get(signal.name), readings.at, turn.now, signal.usable_for)
            yield f"{signal.name} cannot be used, {why}: {held}."


def _brakes(turn: Turn) -> Iterator[str]:
    for brake in turn.ladder.brakes:
        if brake.releases and brake.from_tier <= turn.tier:
            why = brake_fault(turn.ladder, brake, turn.given.readings, turn.now)
            if why:
                name = named(turn.ladder, turn.tier)
                yield f"The error budget of {brake.slo} cannot be told, {why}: it could release {name}."


def _held(turn: Turn, signal: str) -> str:
    """What waits for a signal; empty when nothing does at the tier in force."""
    waits: list[str] = []
    if any(_refers(tier.enter.comparisons, signal) for tier in turn.ladder.tiers[turn.tier :]):
        waits.append("no step up goes by it")
    present = turn.present
    if present and _refers(present.exit.comparisons, signal):
        waits.append(f"{named(turn.ladder, present.number)} is not left")
    emergency = turn.ladder.emergency
    if emergency and emergency.tier > turn.tier and _refers(emergency.comparisons, signal):
        waits.append("there is no emergency jump")
    if turn.ladder.growth and turn.ladder.growth.signal == signal and turn.tier < turn.ladder.top:
        waits.append("a step up needs an approval")
    return ", and ".join(waits)


def _refers(comparisons: Sequence[Comparison], signal: str) -> bool:
    return any(each.signal == signal for each in comparisons)
