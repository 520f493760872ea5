"""What is read, within which bounds, and what came of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[np.int64]
"""(N, 2): row, step's index since the epoch."""

STANDARD_DELAY: Final = timedelta(seconds=60)


def no_cells() -> Cells:
    """None."""
    return np.empty((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """One detector's reading.

    `capacity`: steps that are kept. `most_series`: rows at most; those that come later are dropped and counted.
    `overlap`: newest steps that are read again each time, for samples that come late. A step is complete `delay` after
    its time. `is_counter`: the query gives counters, the buffer holds their rate a second. `denominator`: PromQL with
    the same labels (or none at all); where it is below `least_denominator`, or missing, there is no sample. `range`:
    the longest over which the query looks back; zero where it does not.
    """

    query: str
    step: timedelta
    capacity: int
    most_series: int
    overlap: int = 6
    delay: timedelta = STANDARD_DELAY
    is_counter: bool = False
    denominator: str = ""
    least_denominator: float = 0.0
    range: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class NewSteps:
    """What one `advance` brought. `count` steps from index `first` are new (0: none); they are scored now.

    Rows in `appeared` are new or were given to another series; rows in `freed` belong to nobody any more.
    `late` cells were missing and have a value now, `changed` ones have another; both lie before `first`.
    `restarted`: everything before was forgotten, as the time without readings was longer than the buffer.
    `is_stale`: steps are due, and there is not one sample of them.
    Counts are of samples: `new` in the new steps, `duplicates` read again and the same.
    `dropped`: series for which there was no row. `warnings`: what the backend says of its answer.
    """

    first: int
    count: int
    appeared: tuple[int, ...] = ()
    freed: tuple[int, ...] = ()
    late: Cells = field(default_factory=no_cells)
    changed: Cells = field(default_factory=no_cells)
    new: int = 0
    duplicates: int = 0
    dropped: int = 0
    is_stale: bool = False
    restarted: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What one `fill` brought of the past: steps `first` … `first + count − 1` were read (count 0: nothing was due).

    `samples` were put where nothing was. Those of rows that were there when the step was scored, `too_late` of them,
    are learnt from and never scored. `changed` differ from what was there, which they replace. `remaining`: steps
    that are still to be read.
    """

    first: int = 0
    count: int = 0
    samples: int = 0
    too_late: int = 0
    changed: int = 0
    duplicates: int = 0
    remaining: int = 0
    warnings: tuple[str, ...] = ()
