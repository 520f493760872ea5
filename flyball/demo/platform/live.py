"""The platform as it runs now: the history's counters, moved on to the present, with faults and flags."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from flyball.demo.platform.infrastructure import Gauge
from flyball.demo.platform.layout import PodLayout
from flyball.demo.platform.platform_flags import FULL_SERVICE, ReadFlags, full_service
from flyball.demo.platform.pods import Life, Slot
from flyball.demo.platform.reductions import effects_of, given_back
from flyball.demo.platform.shapes import Effect, Fault
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.traffic import Floats, Integers

_ROUNDING: Final = 1e-6
# Retries change within a minute; they are told apart as finely as anybody scrapes.
_STRETCH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class PodState:
    """What one pod has counted so far."""

    slot: Slot
    life: Life
    layout: PodLayout
    cells: Integers


class LivePlatform:
    """Counters that go on where the history ended. Safe to use from several threads.

    A minute without faults and at full service adds exactly what the simulation says of it, however often it was looked
    at. Flags act from the moment on in which somebody looks: with scrapes all the time, at once.
    """

    def __init__(self, simulation: Simulation, faults: Sequence[Fault], flags: ReadFlags = full_service) -> None:
        self.faults: Final[Mapping[str, Fault]] = {fault.name: fault for fault in faults}
        self.flags: Final = flags
        self._simulation = simulation
        self._totals, self._bases = simulation.at_seam()
        self._partial: Floats = np.zeros(simulation.cells)
        self._seconds = 60.0 * simulation.seam
        self._disturbed = False  # whether a fault or a flag was in force during a part of this minute
        self._reduced = FULL_SERVICE
        self._planned: tuple[int, tuple[Effect, ...], Integers] | None = None
        self._broken: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def pods(self, now: datetime) -> list[PodState]:
        """Every pod that lives now, with its counts."""
        with self._lock:
            self._advance(now.timestamp())
            counts = self._totals + np.floor(self._partial + _ROUNDING).astype(np.int64) - self._bases
            minute = int(self._seconds // 60)
            return [
                PodState(slot, slot.at(minute), layout, counts[self._simulation.slot_cells(number)])
                for number, (slot, layout) in enumerate(
                    zip(self._simulation.slots, self._simulation.layouts, strict=True)
                )
            ]

    def gauges(self, now: datetime) -> list[Gauge]:
        """What the exporter of costs says now."""
        minute = np.array([int(now.timestamp() // 60)], dtype=np.int64)
        infrastructure = self._simulation.infrastructure
        gone = given_back(self.flags(), infrastructure)
        return [gauge for gauge in infrastructure.gauges(minute) if dict(gauge.labels)["node"] not in gone]

    def broken(self) -> dict[str, datetime]:
        """Which faults are in force, and since when."""
        with self._lock:
            return dict(self._broken)

    def break_(self, name: str, now: datetime) -> bool:
        """Let a fault begin; False when it was there already. Raises KeyError for an unknown name."""
        fault = self.faults[name]
        with self._lock:
            self._advance(now.timestamp())
            if fault.name in self._broken:
                return False
            self._broken[fault.name] = now
            self._disturbed = True
            return True

    def heal(self, name: str, now: datetime) -> bool:
        """End a fault; False when there was none. Raises KeyError for an unknown name."""
        fault = self.faults[name]
        with self._lock:
            self._advance(now.timestamp())
            return self._broken.pop(fault.name, None) is not None

    def _advance(self, to_seconds: float) -> None:
        while self._seconds < to_seconds:
            minute = int(self._seconds // 60)
            effects, change = self._in_force()
            end = min(to_seconds, 60.0 * (minute + 1), change)
            planned = self._plan(minute, effects)
            self._partial += planned * ((end - self._seconds) / 60)
            self._seconds = end
            if end == 60.0 * (minute + 1):
                self._totals += np.rint(self._partial).astype(np.int64) if self._disturbed else planned
                self._partial[:] = 0
                self._disturbed = bool(self._broken) or self._reduced != FULL_SERVICE
                self._start_pods(minute + 1)
        self._look()

    def _look(self) -> None:
        """What the flags say counts from here on."""
        reduced = self.flags()
        self._disturbed = self._disturbed or reduced != self._reduced
        self._reduced = reduced

    def _in_force(self) -> tuple[tuple[Effect, ...], float]:
        """The effects of all faults and flags now, and when they change by themselves."""
        effects: list[Effect] = []
        change = math.inf
        for name, since in self._broken.items():
            begun = since.timestamp()
            start = (self._seconds - begun + _ROUNDING) // _STRETCH_SECONDS * _STRETCH_SECONDS
            end = start + _STRETCH_SECONDS
            effects.extend(effect.during(start, end) for effect in self.faults[name].effects)
            if any(effect.retries for effect in self.faults[name].effects):
                change = min(change, begun + end)
        return (*effects, *effects_of(self._reduced)), change

    def _plan(self, minute: int, effects: tuple[Effect, ...]) -> Integers:
        if self._planned is None or self._planned[:2] != (minute, effects):
            self._planned = (minute, effects, self._simulation.counts(minute, 1, effects)[0])
        return self._planned[2]

    def _start_pods(self, minute: int) -> None:
        for number, slot in enumerate(self._simulation.slots):
            if slot.at(minute).start == minute:
                cells = self._simulation.slot_cells(number)
                self._bases[cells] = self._totals[cells]
