"""What a decision would take from a sample, without deciding: on which side of each threshold its signals are.

Two samples with the same sight, the same state and no wait that ends between them get the same decision.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from finops.ladder.controller.gates import brake_fault, braking
from finops.ladder.controller.judging import good_values
from finops.ladder.model import Comparison, Ladder, Signal
from finops.ladder.readings import Quality, Readings
from finops.ladder.simulation.model import Point
from finops.ladder.simulation.plant import Plant
from finops.ladder.simulation.resting import Signature

_ZERO: Final = Decimal(0)
Stillness = tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A signal with every threshold that it is held against, in order; and those of leaving a tier, by tier."""

    signal: Signal
    thresholds: Sequence[Decimal]
    leaving: Mapping[int, Sequence[Decimal]]

    @property
    def is_used(self) -> bool:
        """Whether any condition refers to it."""
        return bool(self.thresholds) or any(self.leaving.values())


@dataclass(frozen=True, slots=True)
class _Facts:
    """One point: values that are good with their sensitivity, in the order of the signals; and its brakes."""

    place: int
    values: Sequence[tuple[Decimal, Decimal | None] | None]
    brakes: tuple[object, ...]


class Sight:
    """Looks at the points of one history, one after the other."""

    def __init__(self, ladder: Ladder, plant: Plant) -> None:
        self._ladder = ladder
        self._plant = plant
        self._watched = [each for signal in ladder.signals if (each := _watched(ladder, signal)).is_used]
        self._facts: _Facts | None = None
        self._still: tuple[int, int, Stillness] | None = None
        self._seen: Signature = ()
        self._braking: tuple[object, tuple[object, ...]] = (None, ())

    def of(self, place: int, point: Point, tier: int, savings: Mapping[int, Decimal], at: datetime) -> Signature:
        """What is seen at a moment at which a point stands."""
        stillness = self._plant.stillness(at)
        if stillness is not None and self._still == (place, tier, stillness):
            return self._seen
        if self._facts is None or self._facts.place != place:
            self._facts = self._look(place, point.readings)
        saving = max(savings.get(tier, _ZERO), _ZERO)
        lowered_at = None if stillness is not None and not any(stillness) else at
        self._seen = (tier, self._facts.brakes, *self._ranks(self._facts, tier, saving, lowered_at))
        self._still = None if stillness is None else (place, tier, stillness)
        return self._seen

    def _look(self, place: int, readings: Readings) -> _Facts:
        values = [self._value(each.signal, readings) for each in self._watched]
        return _Facts(place, values, self._brakes(readings))

    def _value(self, signal: Signal, readings: Readings) -> tuple[Decimal, Decimal | None] | None:
        """A value that may be used, with its sensitivity; the controller is asked where that takes more than a look."""
        reading = readings.signals.get(signal.name)
        if reading is None or reading.value is None:
            return None
        if reading.at is not None or not reading.value.is_finite():
            good = good_values(self._ladder, readings, readings.at)[signal.name]
            return None if good is None else (good, reading.per_hour)
        return (reading.value, reading.per_hour) if reading.quality is Quality.GOOD else None

    def _brakes(self, readings: Readings) -> tuple[object, ...]:
        """Which brakes bite, and which nobody can tell. The same readings without times of their own say the same."""
        known = readings.brakes
        if known is self._braking[0]:
            return self._braking[1]
        at = readings.at
        said = tuple(
            (bool(brake_fault(self._ladder, each, readings, at)), bool(braking(self._ladder, each, readings, at)))
            for each in self._ladder.brakes
        )
        if all(reading.at is None for reading in known.values()):
            self._braking = (known, said)
        return said

    def _ranks(self, facts: _Facts, tier: int, saving: Decimal, lowered_at: datetime | None) -> Signature:
        """How many thresholds each signal has reached; None where it is not good."""
        ranks: list[object] = []
        for watched, known in zip(self._watched, facts.values, strict=True):
            if known is None:
                ranks.append(None)
                continue
            value, per_hour = known
            if lowered_at is not None:
                value, per_hour = self._plant.lower(watched.signal, value, per_hour, lowered_at, saving)
            ranks.append(bisect_right(watched.thresholds, value))
            leaving = watched.leaving.get(tier)
            if leaving:
                without = value + per_hour * saving if per_hour else value
                ranks.append(bisect_right(leaving, without))
        return tuple(ranks)


def _watched(ladder: Ladder, signal: Signal) -> _Watched:
    comparisons: list[Comparison] = [each for tier in ladder.tiers for each in tier.enter.comparisons]
    comparisons += ladder.emergency.comparisons if ladder.emergency else ()
    thresholds = {each.threshold for each in comparisons if each.signal == signal.name}
    if ladder.growth and ladder.growth.signal == signal.name:
        thresholds.add(ladder.growth.flat_below)
    leaving = {
        tier.number: sorted(each.threshold for each in tier.exit.comparisons if each.signal == signal.name)
        for tier in ladder.tiers
    }
    return _Watched(signal, sorted(thresholds), leaving)
