"""One signal over time, out of the columns of its parts: the readings that the live reader would have made.

Whatever is plainly in order is read off the columns; anything else is given to the live reader's own judgement
(`finops.ladder.signals.judging`), so that both have one opinion of what is missing, stale or contradictory.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Sample, Series
from finops.ladder.model import Ladder, Measure, Signal
from finops.ladder.readings import Quality, Reading
from finops.ladder.signals import queries
from finops.ladder.signals.judging import brake_readings, reading
from finops.ladder.simulation.columns import Column, Grid
from finops.ladder.simulation.part_queries import Part

_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class SourceCourse:
    """How fresh the sources of some money were: samples by coarse point, and the oldest age among them."""

    samples: dict[int, list[Sample]] = field(default_factory=dict)
    oldest: dict[int, float] = field(default_factory=dict)

    def is_fresh(self, place: int, stale_after: timedelta) -> bool:
        """Whether nothing is old, and no alert told that something is."""
        return self.oldest.get(place, 0.0) <= stale_after.total_seconds()


def source_course(answer: Sequence[Series], coarse: Grid) -> SourceCourse:
    """The answer to a question about sources (`finops.ladder.signals.queries.data_query`)."""
    made = SourceCourse()
    for series in answer:
        labels = dict(series.labels)
        part = labels.get(queries.PART, "")
        for at, value in series.points:
            place = (at - coarse.start) // coarse.step
            made.samples.setdefault(place, []).append(Sample(labels, at, value))
            if part != queries.USUAL_AGE:
                age = math.inf if part == queries.TOLD or math.isnan(value) else value
                made.oldest[place] = max(made.oldest.get(place, 0.0), age)
    return made


_FRESH: Final = SourceCourse()
_NO_SPIKE: Final = Reading(Quality.GOOD, _ZERO, None, _ZERO)


class SignalCourse:
    """One signal: `columns` by part, each fine or coarse."""

    def __init__(
        self,
        ladder: Ladder,
        signal: Signal,
        parts: Mapping[str, Part],
        columns: Mapping[str, Column],
        grid: Grid,
        coarse: Grid,
        sources: SourceCourse = _FRESH,
    ) -> None:
        self.signal = signal
        self._currency = ladder.currency
        self._grid, self._coarse = grid, coarse
        self._every = coarse.step // grid.step
        self._columns = columns
        self._sources = sources
        self._carrier = queries.SPEND if signal.measure is Measure.SPIKE else queries.VALUE
        self._is_fine = {name: part.is_fine for name, part in parts.items()}
        carrier = columns[self._carrier]
        foreign = any(labels.get(names.CURRENCY, ladder.currency) != ladder.currency for labels in carrier.labels)
        self._is_ours = signal.measure is Measure.QUERY or not foreign

    @property
    def begins(self) -> int | None:
        """The first point at which it is recorded at all."""
        first = self._columns[self._carrier].begins()
        return first if first is None or self._is_fine[self._carrier] else first * self._every

    def readings(self) -> Iterator[Reading]:
        """One for each point of the fine grid."""
        is_fine = self._is_fine[self._carrier]
        for block in range(self._coarse.count):
            first = block * self._every
            places = range(first, min(first + self._every, self._grid.count))
            plain = self._plain(block)
            if not is_fine:
                yield from self._standing(block, places, plain)
            else:
                for place in places:
                    yield self._at(block, place, plain)

    def _standing(self, block: int, places: range, plain: "_Plain | None") -> Iterator[Reading]:
        """A value that is recorded every five minutes: the same at each point until the next one, and as fresh."""
        found = self._at(block, places.start, plain)
        for place in places:
            yield found if found.at is None else replace(found, at=found.at + (place - places.start) * self._grid.step)

    def _at(self, block: int, place: int, plain: "_Plain | None") -> Reading:
        column = self._columns[self._carrier]
        value = column.alone[place if self._is_fine[self._carrier] else block]
        if plain is None or value is None or not math.isfinite(value):
            return self._judged(block, place)
        if self.signal.measure is Measure.QUERY:
            return Reading(Quality.GOOD, Decimal(repr(value)), None, plain.per_hour)
        if value < 0:
            return self._judged(block, place)
        exact = Decimal(repr(value))
        if self.signal.measure is not Measure.SPIKE:
            return Reading(Quality.GOOD, exact, None, plain.per_hour)
        if plain.usual is None:
            return self._judged(block, place)
        if not plain.counts or exact <= (self.signal.floor_per_hour or _ZERO):
            return _NO_SPIKE
        return Reading(Quality.GOOD, exact / plain.usual, None, 1 / plain.usual)

    def _plain(self, block: int) -> "_Plain | None":
        """Everything but the value, where all of it is in order; None where somebody has to look closer."""
        if not self._is_ours or not self._sources.is_fresh(block, self.signal.stale_after):
            return None
        now = self._coarse.at(block).timestamp()
        found: dict[str, Decimal] = {}
        for part, column in self._columns.items():
            if part == self._carrier:
                continue
            value = column.alone[block]
            if value is None and part == queries.PER_HOUR and not column.labels:
                continue  # never had one
            if value is None or not math.isfinite(value):
                return None
            if part.startswith(queries.AT):
                if not -1 <= now - value <= self.signal.stale_after.total_seconds():
                    return None
            else:
                found[part] = Decimal(repr(value))
        if self.signal.detector and not (queries.OPEN in found and queries.AT_SCORED in self._columns):
            return None
        usual = found.get(queries.USUAL)
        counts = not self.signal.detector or bool(found[queries.OPEN])
        return _Plain(found.get(queries.PER_HOUR), usual if usual and usual > 0 else None, counts)

    def _judged(self, block: int, place: int) -> Reading:
        """By the live reader, on the samples of this moment."""
        now = self._grid.at(place)
        late = now - self._coarse.at(block)
        answer = [
            self._sample(part, labels, value, now, late)
            for part, column in self._columns.items()
            for labels, value in column.values(place if self._is_fine[part] else block)
        ]
        data = self._sources.samples.get(block, ())
        found = reading(self.signal, answer, now, data=data, currency=self._currency)
        return found if found.quality is not Quality.GOOD else replace(found, at=None)

    def _sample(self, part: str, labels: Mapping[str, str], value: float, now: datetime, late: timedelta) -> Sample:
        """As the live reader gets it. Times of data go on with the moment at which they are looked at."""
        if part.startswith(queries.AT) and not self._is_fine[part]:
            value += late.total_seconds()
        return Sample({**labels, queries.PART: part}, now, value)


@dataclass(frozen=True, slots=True)
class _Plain:
    """`counts`: whether a spike counts; one that waits for a detector does not while no anomaly is open."""

    per_hour: Decimal | None
    usual: Decimal | None
    counts: bool = True


def brake_course(ladder: Ladder, answer: Sequence[Series], coarse: Grid) -> list[Mapping[str, Reading]]:
    """What was left of each error budget that brakes the ladder, at each coarse point."""
    slos = {brake.slo for brake in ladder.brakes}
    if not slos:
        return [{}] * coarse.count
    by_place: dict[int, list[Sample]] = {}
    for series in answer:
        labels = dict(series.labels)
        for at, value in series.points:
            by_place.setdefault((at - coarse.start) // coarse.step, []).append(Sample(labels, at, value))
    stale_after = min((signal.stale_after for signal in ladder.signals), default=timedelta(minutes=5))
    found: list[Mapping[str, Reading]] = []
    for place in range(coarse.count):
        known = brake_readings(slos, by_place.get(place, ()), coarse.at(place), stale_after)
        found.append({slo: replace(each, at=None) if each.value is not None else each for slo, each in known.items()})
    return found
