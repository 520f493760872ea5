"""Series of a file on the detector's grid, and from the grid back to the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import MOST_STEPS, Cells, Flags, Numbers, Places
from alerts.anomaly.csv_series.steps import Step, step_of
from alerts.anomaly.detector.model import Floats, Grid

_MOST_TOGETHER: Final = 2_000_000  # samples of a panel: memory of the detector grows with it
_MOST_ROWS_TOGETHER: Final = 100


@dataclass(frozen=True, slots=True)
class Placed:
    """A series on its grid.

    `steps` (n,) is the column of each of its rows, −1 where there is no time; `values` (T,) are means of the rows of
    a step; `scored` (n,) says which rows stand for their step: those with its latest time, since a step can be judged
    only when it is over.
    """

    cells: Cells
    grid: Grid
    step: Step
    steps: Places
    values: Floats
    scored: Flags

    @property
    def shared(self) -> int:
        """Rows that share their step with a later one."""
        return int(((self.steps >= 0) & ~self.scored).sum())


@dataclass(frozen=True, slots=True)
class OffGrid:
    """A series that fits no grid, and why."""

    cells: Cells
    message: str
    hint: str
    row: int  # in the file


def placed(cells: Cells, asked: timedelta | None, *, is_counter: bool) -> Placed | OffGrid:
    """Put a series on a grid of its own. `is_counter`: values become their rate a second, resets are no fall.

    Only rows before a step, and in it, decide what it holds.
    """
    known = np.flatnonzero(np.isfinite(cells.seconds))
    order = known[np.argsort(cells.seconds[known], kind="stable")]
    ordered = cells.seconds[order]
    step = step_of(ordered, asked)
    if step is None:
        return OffGrid(
            cells, f"rows of {cells.name or 'the series'} are more than a day apart", "a day at most, or finer", 0
        )
    if not len(ordered):
        return OffGrid(cells, "has no times", "rows of a time and a value", 0)
    values = _rates(ordered, cells.values[order]) if is_counter else cells.values[order]
    absolute = _step_numbers(ordered, step)
    first, count = int(absolute[0]), int(absolute[-1] - absolute[0]) + 1
    if count > MOST_STEPS:
        return _too_long(cells, order, absolute, step)
    places = absolute - first
    steps = np.full(len(cells.rows), -1, dtype=np.int64)
    steps[order] = places
    scored = np.zeros(len(cells.rows), dtype=np.bool_)
    is_latest = np.ones(len(order), dtype=np.bool_)
    latest = np.full(count, -np.inf)
    np.maximum.at(latest, places, ordered)
    is_latest = ordered == latest[places]
    scored[order] = is_latest
    return Placed(cells, Grid(first, step.length, count), step, steps, _means(places, values, count), scored)


def _step_numbers(ordered: Numbers, step: Step) -> Places:
    shifted = (ordered - step.offset) / step.seconds
    return (np.floor(shifted) if step.is_finer else np.floor(shifted + 0.5)).astype(np.int64)


def _means(places: Places, values: Numbers, count: int) -> Floats:
    known = np.isfinite(values)
    sums = np.bincount(places[known], weights=values[known], minlength=count)
    counts = np.bincount(places[known], minlength=count)
    with np.errstate(invalid="ignore"):
        return (sums / np.where(counts > 0, counts, np.nan)).astype(np.float32)


def _rates(ordered: Numbers, values: Numbers) -> Numbers:
    """The increase since the row before ÷ the seconds since; of a fall, the counter began again at zero."""
    rates = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    seconds = np.diff(ordered[known])
    rise = np.diff(values[known])
    rise = np.where(rise < 0, values[known][1:], rise)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates[known[1:]] = np.where(seconds > 0, rise / seconds, np.nan)
    return rates


def _too_long(cells: Cells, order: Places, absolute: Places, step: Step) -> OffGrid:
    widest = int(np.argmax(np.diff(absolute)))
    days = int(np.diff(absolute)[widest]) * step.seconds / 86_400
    row = int(cells.rows[order[widest + 1]])
    return OffGrid(
        cells,
        f"with a step of {step.seconds} s it is longer than {MOST_STEPS:,} steps; {days:,.0f} days lie before this row",
        "mend its time, or choose a longer --step",
        row,
    )


def together(series: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Series on the same grid, so many at once as memory takes."""
    by_grid: dict[Grid, list[Placed]] = {}
    for each in series:
        by_grid.setdefault(each.grid, []).append(each)
    for grid, same in by_grid.items():
        size = max(1, min(_MOST_ROWS_TOGETHER, _MOST_TOGETHER // max(grid.count, 1)))
        for start in range(0, len(same), size):
            yield same[start : start + size]
