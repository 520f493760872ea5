"""How old the raw samples behind a query are: a rate over a range runs dry before it ends, when nobody scrapes.

While scrapes stand still, `rate(x[5m])` is never missing: it falls with each step, since it divides by five minutes
whatever part of them has samples, and does so again when the samples before the gap leave the range. The second is for
whoever leaves out a range's length after a missing step; here is told which steps are missing for the first reason.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans
from alerts.anomaly.reading.model import ReadingTerms
from alerts.anomaly.reading.selectors import selectors_of
from controlplane.matrix_ports import MatrixBackend, SampleMatrix
from controlplane.ports import Permanent, Transient

LEAST_AGE: Final = 90.0  # seconds, that are no cause for anything
USUAL_DISTANCES: Final = 3  # so many times the usual distance of samples are a gap: two scrapes may be lost
_LOOKED: Final = (timedelta(minutes=10), timedelta(hours=1))  # the least and the longest time samples are counted in
_LOOKS: Final = 3  # moments, or a few more, of a reading at which they are counted
_MANY: Final = 64  # steps: a reading of its own time, which may have had other distances
_COUNTED_EVERY: Final = 50  # readings
_COUNTED_SOON: Final = 5  # readings: where samples look rare, they may only have begun
_LABEL: Final = "selector"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_FRESH: Final = 1  # a sample is young enough
_OLD: Final = 0  # there is one, and it is not

_Reals = NDArray[np.float64]
_Known = tuple[tuple[float, float], ...]
"""Times and states of a selector: its newest fresh one (or the first that is known), and its newest one."""


class Freshness:
    """Tells steps at which the newest raw sample is too old; of several selectors the one that is worst off counts.

    Too old is more than 90 s, and than three times the usual distance of its samples. Asked are expressions with a
    range, and counters. A selector that has no answer (its series ended, and Prometheus knows; or there never were
    any) is no cause, unless its samples were too old before, for as long as ranges reach to them.

    Remembers distances, and what is known of the newest step. Not for two threads at once.
    """

    def __init__(self, terms: ReadingTerms) -> None:
        self._terms = terms
        self._step = terms.step.total_seconds()
        self._range = terms.range.total_seconds()
        self._selectors = selectors_of(terms.query) if terms.range or terms.is_counter else ()
        self._distances: list[float | None] = [None] * len(self._selectors)
        self._known: list[_Known] = [()] * len(self._selectors)
        self._reads_until_count = 0
        self._fails = False

    def too_old(self, source: MatrixBackend, first: int, count: int) -> tuple[Booleans, tuple[str, ...]]:
        """(count,) where steps from `first` on are as good as missing, and what is to be said of the answer.

        Where the source does not answer no step is; that is said once, until it answers again.
        """
        nothing = np.zeros(count, dtype=np.bool_)
        if not self._selectors or count < 1:
            return nothing, ()
        try:
            distances = self._distances_at(source, first, count)
            limits = [max(USUAL_DISTANCES * (each or self._step), LEAST_AGE) for each in distances]
            states = self._states(source, first, count, limits)
        except (Transient, Permanent) as error:
            said = () if self._fails else (f"how fresh the samples are cannot be asked: {error}",)
            self._fails = True
            return nothing, said
        self._fails = False
        times = np.arange(first, first + count, dtype=np.float64) * self._step
        for number, of_selector in enumerate(states):
            nothing |= self._overdue(number, times, of_selector)
        return nothing, ()

    def _overdue(self, number: int, times: _Reals, states: _Reals) -> Booleans:
        """Of one selector, (len(times),); goes on from what was known before those times."""
        before, steps = self._known[number], len(times)
        if before and before[-1][0] < times[0]:
            times, states = (np.concatenate(each) for each in zip(_columns(before), (times, states), strict=True))
        places = np.arange(len(times))
        answered = np.isfinite(states)
        last = np.maximum.accumulate(np.where(answered, places, -1))
        fresh = np.maximum.accumulate(np.where(states == _FRESH, places, 0))
        newest = int(last[-1])
        if newest >= 0 and (not before or times[newest] >= before[-1][0]):
            kept = sorted({int(fresh[newest]), newest})
            self._known[number] = tuple((float(times[each]), float(states[each])) for each in kept)
        is_reached = times - times[fresh] <= self._range
        found: Booleans = (last >= 0) & (states[last] == _OLD) & (answered | is_reached)
        return found[-steps:]

    def _states(self, source: MatrixBackend, first: int, count: int, limits: Sequence[float]) -> _Reals:
        """(selectors, count) fresh or old; NaN without an answer.

        `timestamp` would say more, and takes Prometheus two minutes for a day of 500 series at 1 min.
        """
        step = self._terms.step
        query = self._each("max(present_over_time({0}[{1}s]))", limits)
        states = self._rows(self._asked(source, query, first, count, step), count)  # 1: fresh
        silent = np.isnan(states)
        if silent.any():
            there = self._rows(self._asked(source, self._each("count({0})", limits), first, count, step), count)
            states[silent & np.isfinite(there)] = _OLD
        return states

    def _distances_at(self, source: MatrixBackend, first: int, count: int) -> Sequence[float | None]:
        """Seconds between samples of each selector's densest series; None where nothing is known.

        Those of weeks are their own, those of the newest steps are remembered for a while.
        """
        self._reads_until_count -= 1
        if count < _MANY and self._reads_until_count >= 0:
            return self._distances
        window = min(max(self._terms.range, _LOOKED[0]), _LOOKED[1]) // timedelta(seconds=1)
        every = max(count // _LOOKS, 1)
        begin, stop = -(-first // every), (first + count - 1) // every
        query = self._each("max(count_over_time({0}[{1}s]))", [window] * len(self._selectors))
        looks = stop - begin + 1
        found = self._rows(self._asked(source, query, begin, looks, every * self._terms.step), looks)
        most = np.max(np.where(np.isfinite(found), found, 0), axis=1).tolist()
        distances = [
            window / most[number] if most[number] > 0 else self._distances[number] for number in range(len(most))
        ]
        if all(not known or known[-1][0] < (first + count) * self._step for known in self._known):
            self._distances = distances
            is_rare = any(USUAL_DISTANCES * (each or self._step) > LEAST_AGE for each in distances)
            self._reads_until_count = _COUNTED_SOON if is_rare else _COUNTED_EVERY
        return distances

    def _each(self, pattern: str, seconds: Sequence[float]) -> str:
        """One query for all selectors, whose rows have a number as their label."""
        parts = (
            f'label_replace({pattern.format(selector, ceil(most))}, "{_LABEL}", "{number}", "", "")'
            for number, (selector, most) in enumerate(zip(self._selectors, seconds, strict=True))
        )
        return " or ".join(parts)

    def _asked(self, source: MatrixBackend, query: str, first: int, count: int, step: timedelta) -> SampleMatrix:
        start = _EPOCH + first * step
        return source.matrix(
            query, start, start + (count - 1) * step, step, most_series=len(self._selectors), exact=True
        )  # fmt: skip

    def _rows(self, found: SampleMatrix, count: int) -> _Reals:
        rows = np.full((len(self._selectors), count), np.nan)
        numbers = {str(number): number for number in range(len(self._selectors))}
        for labels, values in zip(found.labels, found.values, strict=True):
            number = numbers.get(labels.get(_LABEL, ""))
            if number is not None:
                rows[number] = values
        return rows


def _columns(known: _Known) -> tuple[_Reals, _Reals]:
    found = np.array(known, dtype=np.float64)
    return found[:, 0], found[:, 1]
