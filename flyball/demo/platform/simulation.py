"""Counts of every cell of every pod: a month of history at a stroke, then live, second by second, without a seam."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flyball.demo.platform.infrastructure import Infrastructure
from flyball.demo.platform.layout import PodLayout
from flyball.demo.platform.pods import Life, Slot, slots_of
from flyball.demo.platform.shapes import Catalogue, Effect
from flyball.demo.platform.traffic import Floats, Integers, Traffic

_CHUNK_HOURS: Final = 6


@dataclass(frozen=True, slots=True)
class Run:
    """Rows [low, high) of a chunk in which a slot was filled by one life; `ends` when the life ends with them."""

    slot: int
    life: Life
    low: int
    high: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """Counter values of a stretch of time: `values` has the shape (minutes, cells), a reset at each new life."""

    minutes: Integers
    values: Integers
    runs: tuple[Run, ...]


class Simulation:
    """The platform's counts as a function of (seed, seam, minute). Minutes are counted from the Unix epoch.

    History runs from `start` to `seam`; incidents and deployments are placed relative to `seam`.
    """

    def __init__(self, catalogue: Catalogue, *, seed: int, start: int, seam: int) -> None:
        self.start: Final = start
        self.seam: Final = seam
        self.slots: Final[tuple[Slot, ...]] = slots_of(catalogue, seed=seed, start=start, seam=seam)
        self.infrastructure: Final = Infrastructure(catalogue, self.slots, seam)
        self.traffic: Final = Traffic(catalogue, seam)
        layouts = {service.name: PodLayout(service, self.traffic.streams) for service in catalogue.services}
        self.layouts: Final = tuple(layouts[slot.service.name] for slot in self.slots)
        sizes = [len(layout.columns) for layout in self.layouts]
        self.bounds: Final = tuple(int(bound) for bound in np.cumsum([0, *sizes]))
        self.cells: Final = self.bounds[-1]
        self._seed: Final = seed
        self._columns = np.concatenate([layout.columns for layout in self.layouts])
        self._weights = np.concatenate([layout.weights * self._slot_share(i) for i, layout in enumerate(self.layouts)])
        self._mirrored = _mirrored_cells(self.layouts, self.bounds)
        self._noise = lru_cache(maxsize=2)(self._draw_noise)

    def slot_cells(self, slot: int) -> slice:
        """Where the cells of a slot stand."""
        return slice(self.bounds[slot], self.bounds[slot + 1])

    def counts(self, first: int, minutes: int, effects: Sequence[Effect] = ()) -> Integers:
        """Events of each minute and cell, shape (minutes, cells): whole numbers around what is expected."""
        parts = []
        minute = first
        while minute < first + minutes:
            hour, low = divmod(minute, 60)
            high = min(60, low + first + minutes - minute)
            parts.append(self._hour(hour, low, high, effects))
            minute += high - low
        return np.concatenate(parts)

    def history(self) -> Iterator[Chunk]:
        """Chunks from `start` to `seam` in time order; the last one holds the seam's own minute and nothing else."""
        totals = np.zeros(self.cells, dtype=np.int64)
        bases = np.zeros(self.cells, dtype=np.int64)
        minute = self.start
        while minute < self.seam:
            end = min(self.seam, (minute // 60 + _CHUNK_HOURS) * 60)
            counts = self.counts(minute, end - minute)
            before = totals + np.cumsum(counts, axis=0) - counts
            totals = before[-1] + counts[-1]
            yield self._chunk(minute, before, bases)
            minute = end
        yield self._chunk(self.seam, totals[np.newaxis].copy(), bases)

    def at_seam(self) -> tuple[Integers, Integers]:
        """Totals of all cells since `start`, and what they were when the pods of the seam's minute started."""
        totals = np.zeros(self.cells, dtype=np.int64)
        bases = np.zeros(self.cells, dtype=np.int64)
        starts = {number: slot.at(self.seam).start for number, slot in enumerate(self.slots)}
        minute = self.start
        for end in sorted({*starts.values(), self.seam}):
            if end > minute:
                totals = totals + self.counts(minute, end - minute).sum(axis=0)
                minute = end
            for number, start in starts.items():
                if start == end:
                    bases[self.slot_cells(number)] = totals[self.slot_cells(number)]
        return totals, bases

    def _chunk(self, first: int, values: Integers, bases: Integers) -> Chunk:
        """Turn totals into what the counters showed; `bases` (totals at the start of each life) is carried on."""
        end = first + values.shape[0]
        runs = []
        for number, slot in enumerate(self.slots):
            cells = self.slot_cells(number)
            for life in slot.lives:
                if life.start >= end or life.end <= first:
                    continue
                low, high = max(life.start, first) - first, min(life.end, end) - first
                if life.start >= first:
                    bases[cells] = values[low, cells]
                values[low:high, cells] -= bases[cells]
                runs.append(Run(number, life, low, high, life.end <= end))
        return Chunk(first + np.arange(values.shape[0], dtype=np.int64), values, tuple(runs))

    def _hour(self, hour: int, low: int, high: int, effects: Sequence[Effect]) -> Integers:
        normal, uniform = self._noise(hour)
        good, bad = self.traffic.per_minute(60 * hour + low, normal[low:high], effects)
        rates = np.stack([good, bad], axis=2).reshape(high - low, -1)
        expected = rates[:, self._columns] * self._weights
        return np.asarray(np.floor(expected + uniform[low:high]), dtype=np.int64)

    def _draw_noise(self, hour: int) -> tuple[Floats, NDArray[np.float32]]:
        random = np.random.Generator(np.random.Philox(key=[self._seed, hour]))
        normal = random.standard_normal((60, 2, len(self.traffic.streams)))
        uniform = random.random((60, self.cells), dtype=np.float32)
        for good, bad in self._mirrored:
            uniform[:, bad] = np.float32(1) - uniform[:, good]
        return normal, uniform

    def _slot_share(self, slot: int) -> float:
        """How much of its service's traffic a slot gets: nearly, but not quite, the same as its siblings."""
        siblings = [i for i, other in enumerate(self.slots) if other.service == self.slots[slot].service]
        tilt = np.array([1 + 0.06 * np.sin(1 + 2 * i) for i in siblings])
        return float(tilt[siblings.index(slot)] / tilt.sum())


def _mirrored_cells(layouts: tuple[PodLayout, ...], bounds: tuple[int, ...]) -> list[tuple[int, int]]:
    return [
        (first + good, first + bad)
        for layout, first in zip(layouts, bounds, strict=False)
        for good, bad in layout.mirrored
    ]
