"""The last weeks of a detector's series, kept up to date. Not for two threads at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Floats
from alerts.anomaly.reading.block import EPOCH, Block, read
from alerts.anomaly.reading.buffer import Buffer, Merged, Rows, key_of
from alerts.anomaly.reading.freshness import Freshness
from alerts.anomaly.reading.model import Cells, Filled, NewSteps, ReadingTerms, no_cells
from alerts.anomaly.reading.pending import Interval, Pending
from controlplane.matrix_ports import MatrixBackend
from controlplane.ports import Permanent

MOST_CELLS: Final = 6_000_000  # of one reading: 24 MB as float32; 10,000 series × 2 days at 5 min
CHUNK: Final = timedelta(days=2)
_LEAST_CHUNK: Final = 288  # steps
_FIRST: Final = timedelta(hours=1)  # the first reading: series that are there now
_LEAST_FIRST: Final = 12  # steps
_PROBED: Final = timedelta(hours=6)  # how far apart newcomers' past is looked for
_PROBES: Final = 100  # at least so many in a window
_SHORTEST: Final = 16  # a piece of the past that is refused is read in halves, down to so many steps


class History:
    """A buffer (series × steps) that slides with time; rows are given to series and stay theirs until they are empty.

    `advance` reads what is new, `fill` a piece of the past that is missing, the newest first: weeks before the
    start, a time without readings, the past of series that appear. Errors of the backend pass through and change
    nothing. What is in the buffer depends on the samples alone, not on when they came, if none came later than
    `overlap` steps.

    Rows belong to the series that had them first: when all are taken, newcomers are dropped until one is empty.
    Of several that come at once, those with the most samples get them.
    """

    def __init__(self, terms: ReadingTerms) -> None:
        self.terms: Final = terms
        self._buffer = Buffer(terms.most_series, terms.capacity)
        self._pending = Pending()
        self._freshness = Freshness(terms)
        self._newcomers_from: int | None = None  # the past before this step of some rows was not looked for yet
        self._chunk = min(
            max(CHUNK // terms.step, _LEAST_CHUNK), max(MOST_CELLS // terms.most_series, 1), terms.capacity
        )
        self._piece = self._chunk

    @property
    def rows(self) -> int:
        """How many rows have ever been given away: those that readers look at. Some may be free (all NaN)."""
        return len(self._buffer.labels)

    @property
    def labels(self) -> tuple[Mapping[str, str] | None, ...]:
        """Of each row; None where it is free."""
        return tuple(self._buffer.labels)

    @property
    def first(self) -> int:
        """Index (since the epoch) of the first step that is kept: `end − capacity`."""
        return self._buffer.first

    @property
    def end(self) -> int:
        """Index after the newest step that was read; 0 before anything was."""
        return self._buffer.end

    @property
    def values(self) -> Floats:
        """(rows, capacity), a read-only view that is good until the next `advance`; column i is step `first + i`."""
        view = self._buffer.values
        view.flags.writeable = False
        return view

    @property
    def last_seen(self) -> NDArray[np.int64]:
        """(rows,) index of the newest step with a sample, those below the least denominator included; −1: none."""
        return self._buffer.last_seen.copy()

    @property
    def remaining(self) -> int:
        """Steps of the past that are still to be read, as far as that is known."""
        unknown = 0 if self._newcomers_from is None else max(self._newcomers_from - self.first, 0)
        return max(len(self._pending), unknown)

    def is_read_from(self, index: int) -> bool:
        """Whether no step from `index` on is still to be read."""
        newest = self._pending.newest(1)
        return newest is None or newest[1] <= index

    def column(self, index: int) -> Floats:
        """(rows,) the values at a step that is kept, as a copy. Raises ValueError for another step."""
        if not self.first <= index < self.end:
            raise ValueError(f"step {index} is not in {self.first} … {self.end - 1}")
        return self._buffer.values[:, index - self.first].copy()

    def row_of(self, labels: Mapping[str, str]) -> int | None:
        """The row of a series; None when it has none."""
        return self._buffer.row_of(key_of(labels))

    def advance(self, source: MatrixBackend, now: datetime) -> NewSteps:
        """Read the steps that are complete by now, and the newest known ones again.

        Nothing happens when the clock was set back, nor when no series has a sample in any step that is due: then the
        same steps are due the next time. A time without readings that is longer than two days is jumped over, and
        left to `fill`; one longer than the buffer starts it anew.
        """
        end = (now - EPOCH - self.terms.delay) // self.terms.step + 1
        known = self._buffer.end
        if end <= known:
            return NewSteps(known, 0)
        is_start = known == 0 or end - known >= self.terms.capacity
        first = end - self._first_steps if is_start else max(known, end - self._chunk)
        begin = first if first > known else max(known - self.terms.overlap, known - self.terms.capacity)
        block = read(source, self.terms, begin, end - begin, self._freshness)
        sampled = np.flatnonzero(block.seen[:, first - begin :].any(axis=0))
        if not sampled.size and (is_start or first > known):
            return NewSteps(known, 0, is_stale=True, warnings=block.warnings)
        end = first + int(sampled[-1]) + 1 if sampled.size else known
        return self._taken(block, known, first, end, restarted=is_start)

    def fill(self, source: MatrixBackend) -> Filled:
        """Read one piece of what is missing of the past: at most two days of it, in one call of the backend.

        Series that have no row are left out: they are gone. A piece that the backend refuses (too many series came
        and went) is tried in halves, and given up at last, with its reason among the warnings.
        """
        if not self._pending and self._newcomers_from is not None:
            try:
                self._look_for_newcomers(source, self._newcomers_from)
            except Permanent as refused:  # so many came and went that those who come now hardly were there before
                self._newcomers_from = None
                return Filled(warnings=(str(refused),))
        piece = self._pending.newest(self._piece)
        if piece is None:
            return Filled()
        try:
            block = read(source, self.terms, piece[0], piece[1] - piece[0], self._freshness)
        except Permanent as refused:
            return self._refused(piece, str(refused))
        self._piece = min(self._piece * 2, self._chunk)
        self._pending.remove(*piece)
        return self._filled(block, piece)

    def read_again(self, start: datetime, end: datetime) -> None:
        """Let `fill` read this time once more: somebody wrote samples into the past."""
        first, stop = -((EPOCH - start) // self.terms.step), -((EPOCH - end) // self.terms.step)
        self._pending.add(max(first, self.first), min(stop, self.end))

    @property
    def _first_steps(self) -> int:
        return min(max(_FIRST // self.terms.step, _LEAST_FIRST), self.terms.capacity)

    def _taken(self, block: Block, known: int, first: int, end: int, *, restarted: bool) -> NewSteps:
        """Put a reading into the buffer, whose steps from `first` on are new, up to `end`."""
        if restarted:
            self._buffer.clear(end)
            self._pending.add(self.first, block.first)
            self._newcomers_from = None
        else:
            self._buffer.slide(end)
            self._pending.add(known - self.terms.overlap, first if first > known else 0)
        self._pending.keep_from(self.first)
        of_block = np.array([_or_none(self._buffer.row_of(key)) for key in block.keys], dtype=np.int64)
        old = np.flatnonzero(of_block >= 0)
        merged = self._merge(block, old, of_block[old], end)
        freed = self._buffer.free_empty()
        appeared, dropped = self._appear(block, np.flatnonzero(of_block < 0), first, end)
        if appeared and not restarted:
            self._newcomers_from = block.first
        cut = first - block.first
        news = (
            int(np.isfinite(self._buffer.values[:, self.terms.capacity - (end - first) :]).sum()) if end > first else 0
        )
        return NewSteps(
            first,
            end - first,
            appeared=tuple(appeared),
            freed=tuple(freed),
            late=_cells(merged.late[:, :cut], of_block[old], block.first),
            changed=_cells(merged.changed[:, :cut], of_block[old], block.first),
            new=news,
            duplicates=merged.duplicates,
            dropped=dropped,
            is_stale=end == first,
            restarted=restarted and known > 0,
            warnings=block.warnings,
        )

    def _merge(self, block: Block, of_block: Rows, rows: Rows, end: int) -> Merged:
        """Write series of a block into their rows, as far as they lie in the window."""
        skipped = max(self.first - block.first, 0)
        values = block.values[of_block, skipped : end - block.first]
        merged = self._buffer.merge(rows, block.first + skipped, values)
        self._buffer.saw(rows, block.newest()[of_block])
        if not skipped:
            return merged
        aside = ((0, 0), (skipped, 0))
        return Merged(np.pad(merged.late, aside), np.pad(merged.changed, aside), merged.duplicates)

    def _appear(self, block: Block, newcomers: Rows, since: int, end: int) -> tuple[list[int], int]:
        """Give rows to series that have samples and no row; those rows, and how many series there was none for."""
        samples = block.seen[newcomers].sum(axis=1)
        order = [int(newcomers[each]) for each in np.argsort(-samples, kind="stable") if samples[each] > 0]
        given = [(each, self._buffer.take(block.keys[each], block.labels[each], since)) for each in order]
        taken = [(each, row) for each, row in given if row is not None]
        if taken:
            of_block, rows = (np.array(each, dtype=np.int64) for each in zip(*taken, strict=True))
            self._merge(block, of_block, rows, end)
        return sorted(row for _, row in taken), len(order) - len(taken)

    def _filled(self, block: Block, piece: Interval) -> Filled:
        found = [(each, row) for each, key in enumerate(block.keys) if (row := self._buffer.row_of(key)) is not None]
        count, remaining = piece[1] - piece[0], self.remaining
        if not found:
            return Filled(piece[0], count, remaining=remaining, warnings=block.warnings)
        of_block, rows = (np.array(each, dtype=np.int64) for each in zip(*found, strict=True))
        merged = self._merge(block, of_block, rows, piece[1])
        was_known = np.arange(*piece)[None, :] >= self._buffer.known_since(rows)[:, None]
        return Filled(
            piece[0],
            count,
            samples=int(merged.late.sum()),
            too_late=int((merged.late & was_known).sum()),
            changed=int(merged.changed.sum()),
            duplicates=merged.duplicates,
            remaining=remaining,
            warnings=block.warnings,
        )

    def _refused(self, piece: Interval, why: str) -> Filled:
        self._piece = (piece[1] - piece[0]) // 2
        if self._piece >= _SHORTEST:
            return Filled(remaining=self.remaining)
        self._piece = self._chunk
        self._pending.remove(*piece)
        return Filled(piece[0], piece[1] - piece[0], remaining=self.remaining, warnings=(why,))

    def _look_for_newcomers(self, source: MatrixBackend, before: int) -> None:
        """Have those times read in which series that came lately had samples: a look every six hours tells.

        Most series that appear are new and have no past; reading weeks of all others for them would be a waste.
        """
        every = max(min(_PROBED // self.terms.step, self.terms.capacity // _PROBES), 1)
        begin, stop = -(-self.first // every), -(-before // every)
        if every == 1:
            self._pending.add(self.first, before)
        elif stop > begin:
            step = every * self.terms.step
            found = source.matrix(
                self.terms.query,
                EPOCH + begin * step,
                EPOCH + (stop - 1) * step,
                step,
                most_series=2 * self.terms.most_series,
            )
            rows = [each for each, labels in enumerate(found.labels) if self._is_new(labels, before)]
            for probe in np.flatnonzero(np.isfinite(found.values[rows]).any(axis=0)).tolist():
                middle = (begin + probe) * every
                self._pending.add(max(middle - every, self.first), min(middle + every, before))
        self._newcomers_from = None

    def _is_new(self, labels: Mapping[str, str], before: int) -> bool:
        row = self.row_of(labels)
        return row is not None and not np.isfinite(self._buffer.values[row, : max(before - self.first, 0)]).any()


def _or_none(row: int | None) -> int:
    return -1 if row is None else row


def _cells(mask: NDArray[np.bool_], rows: Rows, first: int) -> Cells:
    at, step = np.nonzero(mask)
    return np.stack([rows[at], first + step], axis=1) if at.size else no_cells()
