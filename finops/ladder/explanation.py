"""Why a ladder stays or moves: every condition with what was read last, as its controller judged it."""

from dataclasses import dataclass
from decimal import Decimal

from finops.ladder.controller import ExplainedComparison, ExplainedCondition, saving_of
from finops.ladder.controller import explained as conditions_of
from finops.ladder.controller.judging import fault
from finops.ladder.deciding import ControllerState
from finops.ladder.model import Comparison, Ladder
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.standing import Standing

NEVER_READ = Reading(Quality.MISSING, reason="it was not read yet")


@dataclass(frozen=True, slots=True)
class Jump:
    """The emergency: two of these that are of different groups, for so many samples in a row, and an approval."""

    tier: int
    comparisons: tuple[ExplainedComparison, ...]
    streak: int
    samples: int


@dataclass(frozen=True, slots=True)
class Braking:
    """A brake: the share of the error budget that is left. `brakes` is None while nobody can tell."""

    slo: str
    reading: Reading
    minimum: Decimal
    from_tier: int
    releases: bool
    brakes: bool | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about the next move. `tier` is where the ladder stands; in shadow mode where it would.

    `conditions`: the exit of that tier, then the enter of each above it. `saving`: of that tier, money an hour.
    """

    standing: Standing
    tier: int
    readings: Readings
    saving: Decimal | None = None
    conditions: tuple[ExplainedCondition, ...] = ()
    jump: Jump | None = None
    brakes: tuple[Braking, ...] = ()
    growth: ExplainedComparison | None = None


def explained(standing: Standing) -> Explanation:
    """What the last readings say of each condition; before the first sample nothing is known."""
    ladder, last = standing.ladder, standing.last
    tier = last.tier if last is not None and standing.is_shadow else standing.tier
    readings = last.readings if last is not None else Readings(standing.at, {})
    if ladder is None:
        return Explanation(standing, tier, readings)
    streaks = ControllerState(tier, entering=last.entering, leaving=last.leaving) if last else ControllerState(tier)
    return Explanation(
        standing,
        tier,
        readings,
        saving_of(ladder, tier, readings) if ladder.tier(tier) else None,
        conditions_of(ladder, streaks, readings, readings.at),
        _jump(ladder, tier, readings, last.jumping if last else 0),
        tuple(_braking(ladder, readings)),
        _growth(ladder, readings),
    )


def _jump(ladder: Ladder, tier: int, readings: Readings, streak: int) -> Jump | None:
    emergency = ladder.emergency
    if emergency is None or emergency.tier <= tier:
        return None
    rows = tuple(_compared(ladder, readings, each, is_below=False) for each in emergency.comparisons)
    return Jump(emergency.tier, rows, streak, emergency.samples)


def _growth(ladder: Ladder, readings: Readings) -> ExplainedComparison | None:
    if ladder.growth is None:
        return None
    return _compared(ladder, readings, Comparison(ladder.growth.signal, ladder.growth.flat_below), is_below=True)


def _compared(ladder: Ladder, readings: Readings, each: Comparison, *, is_below: bool) -> ExplainedComparison:
    signal, reading = ladder.signal(each.signal), readings.signals.get(each.signal)
    why = fault(reading, readings.at, readings.at, signal.usable_for) if signal else "it is not declared"
    value = None if why or reading is None else reading.value
    holds = None if value is None else (value < each.threshold) is is_below
    return ExplainedComparison(each.signal, each.threshold, value, None, holds, why)


def _braking(ladder: Ladder, readings: Readings) -> list[Braking]:
    found = []
    for brake in ladder.brakes:
        reading = readings.brakes.get(brake.slo, NEVER_READ)
        is_good = reading.quality is Quality.GOOD and reading.value is not None
        brakes = reading.value <= brake.minimum if is_good and reading.value is not None else None
        found.append(Braking(brake.slo, reading, brake.minimum, brake.from_tier, brake.releases, brakes))
    return found
