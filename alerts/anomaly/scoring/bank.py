"""All models of a detector's series (or of its groups), in chunks: taken from the store, fitted, asked step by step."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.live import Carried, StepScores, fit
from alerts.anomaly.detector.model import NEVER, Booleans, Floats, Panel, Terms
from alerts.anomaly.scoring.chunk import CHUNK_SERIES, STORED_VERSION, Chunk, Mask, Misfit, unpacked
from alerts.anomaly.scoring.step_arrays import scattered
from controlplane.model.anomaly import StoredModel

THREADS: Final = 2
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Table:
    """Series that rows of arrays belong to: a key each, empty where a row is free."""

    keys: tuple[str, ...]

    def places(self, keys: Sequence[str]) -> Rows:
        """The rows of some series; −1 for one that is not there."""
        known = self._positions()
        return np.array([known.get(key, -1) for key in keys], dtype=np.int64)

    def _positions(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys) if key}


@dataclass(frozen=True, slots=True)
class Given:
    """What a fit is given: a panel, and the reasons for which parts of it are not learnt from."""

    panel: Panel
    masks: frozenset[Mask] = frozenset()


PanelOf = Callable[[Rows, int], Given]
"""The past of some rows before a step, with lags that reach further than it."""


class Bank:
    """Chunks with numbers from `base` on. Not for two threads at once, though fits use two of their own."""

    def __init__(self, terms: Terms, *, base: int = 1, per_chunk: int = CHUNK_SERIES, threads: int = THREADS) -> None:
        self._terms = terms
        self._base = base
        self._per_chunk = per_chunk
        self._threads = threads
        self._chunks: list[Chunk] = []
        self._table = Table(())
        self._places: dict[int, Rows] = {}  # by chunk
        self._unplaced: dict[str, None] = {}  # of the table, without a model; in order

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """All of them."""
        return tuple(self._chunks)

    @property
    def next_index(self) -> int | None:
        """The earliest step that some model comes to next; None without models."""
        return min((chunk.model.next_index for chunk in self._chunks if chunk.model), default=None)

    @property
    def good_until(self) -> int | None:
        """The first step that some model cannot score without a new fit; None without models."""
        return min((chunk.model.good_until for chunk in self._chunks if chunk.model), default=None)

    @property
    def fitted(self) -> int | None:
        """The step before which the oldest fit ends; None without models."""
        return min((chunk.fitted for chunk in self._chunks if chunk.keys), default=None)

    @property
    def unfitted(self) -> int:
        """Series that have no model yet."""
        return len(self._unplaced)

    def restore(self, stored: Iterable[StoredModel], digest: str) -> Counter[Misfit]:
        """Take what fits; how many chunks did not, by why. One series stands in one chunk."""
        misfits: Counter[Misfit] = Counter()
        seen: set[str] = set()
        for each in stored:
            if not each.body:  # a chunk that was given up
                self._chunks.append(_nobody(each.chunk))
                continue
            found = _taken(each, digest)
            if isinstance(found, Misfit) or seen & set(found.keys):
                misfits[found if isinstance(found, Misfit) else Misfit.DAMAGED] += 1
                self._chunks.append(_nobody(each.chunk))
            else:
                self._chunks.append(found)
                seen.update(found.keys)
        self._chunks.sort(key=lambda chunk: chunk.number)
        return misfits

    def seat(self, table: Table) -> None:
        """These are the series now. Those that have no model get one at the next fit."""
        self._table = table
        known = {key for chunk in self._chunks for key in chunk.keys}
        self._unplaced = {key: None for key in table.keys if key and key not in known}
        self._places = {chunk.number: table.places(chunk.keys) for chunk in self._chunks}

    def correct(self, rows: Collection[int] | None = None) -> None:
        """Samples came late into these rows (None: into any), or were corrected: their next fit learns all anew."""
        for chunk in self._chunks:
            places = self._places.get(chunk.number)
            if rows is None or (places is not None and np.isin(places, list(rows)).any()):
                chunk.is_corrected = True

    def since(self) -> Rows:
        """By row of the table: the step of the first sample that a model knows; −1: none."""
        found = np.full(len(self._table.keys), -1, dtype=np.int64)
        for chunk in self._chunks:
            places = self._places[chunk.number]
            found[places[places >= 0]] = chunk.since[places >= 0]
        return found

    def score(self, column: Floats, index: int, learnt: Booleans | None) -> StepScores:
        """Score a step of all series; rows without a model, or with one that is further already, have no scores."""
        parts = []
        for chunk in self._chunks:
            places = self._places[chunk.number]
            if chunk.model is not None and chunk.model.next_index <= index:
                values = np.where(places >= 0, column[places], np.float32(np.nan)).astype(np.float32)
                flags = None if learnt is None else np.where(places >= 0, learnt[places], True)
                parts.append((places, chunk.model.score(values, index, flags)))
        return scattered(len(column), parts)

    def due(self, index: int, every: int, but: Collection[int] = ()) -> list[int]:
        """Numbers of the chunks to be fitted before step `index` is scored, also those whose model ends there.

        Each is fitted once in `every` steps, and not all at the same one. Those of `but` only where they must be.
        """
        count = max(len(self._chunks), 1)
        return [
            chunk.number
            for place, chunk in enumerate(self._chunks)
            if chunk.model is not None
            and chunk.fitted < index
            and (
                index >= chunk.model.good_until
                or (chunk.number not in but and _is_its_turn(chunk, index, every, place * every // count))
            )
        ]

    def must_fit(self, index: int) -> bool:
        """Whether some model cannot score that step."""
        return any(chunk.model is not None and index >= chunk.model.good_until for chunk in self._chunks)

    def fit(self, numbers: Iterable[int], index: int, panel_of: PanelOf) -> list[Chunk]:
        """Fit chunks anew on what lies before step `index`, and all series that have no model; those that were fitted.

        Series that are gone leave their chunk then, so that there is room for others.
        """
        wanted = set(numbers)
        plans = [self._plan(chunk) for chunk in self._chunks if chunk.number in wanted]
        plans += self._housed(plans)
        with ThreadPoolExecutor(self._threads) as pool:
            new = list(pool.map(lambda plan: self._fitted(plan, index, panel_of), plans))
        known = {chunk.number: chunk for chunk in self._chunks}
        known |= {chunk.number: chunk for chunk in new}
        self._chunks = [known[number] for number in sorted(known)]
        self.seat(self._table)
        return new

    def _plan(self, chunk: Chunk) -> "_Plan":
        here = self._places[chunk.number] >= 0
        return _Plan(chunk.number, tuple(key for key, is_here in zip(chunk.keys, here, strict=True) if is_here), chunk)

    def _housed(self, plans: "list[_Plan]") -> "list[_Plan]":
        """Seats for series without a model: in chunks that are fitted anyway, in others with room, then in new ones.

        What is returned are the plans of the latter two.
        """
        waiting, further = list(self._unplaced), list[_Plan]()
        planned = {plan.number for plan in plans}
        with_room = (chunk for chunk in self._chunks if len(chunk.keys) < self._per_chunk)
        number = max((chunk.number for chunk in self._chunks), default=self._base - 1)
        for plan in plans:
            waiting = plan.take(waiting, self._per_chunk)
        while waiting:
            chunk = next((each for each in with_room if each.number not in planned), None)
            number += chunk is None
            further.append(self._plan(chunk) if chunk else _Plan(number, (), None))
            waiting = further[-1].take(waiting, self._per_chunk)
        return further

    def _fitted(self, plan: "_Plan", index: int, panel_of: PanelOf) -> Chunk:
        if not plan.keys:
            return _nobody(plan.number)
        given = panel_of(self._table.places(plan.keys), index)
        model = fit(given.panel, self._terms, plan.carried(given))
        return Chunk(plan.number, plan.keys, model, index, _since(given.panel), given.masks)


@dataclass(slots=True)
class _Plan:
    """Who will be in a chunk, and which chunk that was."""

    number: int
    keys: tuple[str, ...]
    before: Chunk | None

    def take(self, waiting: list[str], most: int) -> list[str]:
        """As many as there is room for; the others."""
        room = max(most - len(self.keys), 0)
        self.keys += tuple(waiting[:room])
        return waiting[room:]

    def carried(self, given: Given) -> Carried | None:
        """What the model before has learnt; nothing of it where people have changed their mind of what may be learnt.

        Where samples or calendars have changed, its all-time range is kept, and all else is learnt again.
        """
        if self.before is None or self.before.model is None:
            return None
        masks = {mask for mask in self.before.masks if mask.end > given.panel.grid.first}
        differing = masks ^ given.masks
        if any(mask.is_said for mask in differing):
            return None
        known = {key: row for row, key in enumerate(self.before.keys)}
        rows = np.array([known.get(key, -1) for key in self.keys], dtype=np.int64)
        carried = self.before.model.carried().rearranged(rows)
        if self.before.is_corrected or differing:
            carried.until = NEVER  # as of a model that is too old to go on with
        return carried


def _nobody(number: int) -> Chunk:
    """A chunk whose series are all gone: its number stays."""
    return Chunk(number, (), None, 0, np.zeros(0, dtype=np.int64))


def _is_its_turn(chunk: Chunk, index: int, every: int, offset: int) -> bool:
    return (index + offset) % every == 0 or index - chunk.fitted >= every


def _taken(stored: StoredModel, digest: str) -> Chunk | Misfit:
    if stored.version != STORED_VERSION:
        return Misfit.VERSION
    if stored.digest != digest:
        return Misfit.DEFINITION
    try:
        return unpacked(stored.chunk, stored.body)
    except ValueError:
        return Misfit.DAMAGED


def _since(panel: Panel) -> Rows:
    """The first sample of each series."""
    there = np.isfinite(panel.values)
    return np.where(there.any(axis=1), panel.grid.first + there.argmax(axis=1), -1).astype(np.int64)
