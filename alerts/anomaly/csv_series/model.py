"""What is asked of a CSV file, and what was read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from controlplane.problems import Problem

MOST_BYTES: Final = 512 * 1024 * 1024  # uncompressed
MOST_ROWS: Final = 5_000_000
MOST_COLUMNS: Final = 2_000
MOST_SERIES: Final = 2_000
MOST_CELLS: Final = 50_000_000  # rows × columns of values
MOST_STEPS: Final = 4_000_000  # of a series, with its gaps
MOST_CHARACTERS: Final = 200  # of a series' name

Seconds: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader of a file wants; empty: guessed. Columns by name (any case) or number from 1.

    `zone` (IANA) is that of times that name none.
    """

    time: str = ""
    values: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    step: timedelta | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Cells:
    """One series as the file has it: `rows` (n,) places in the file's rows, in the file's order.

    `seconds` (n,) after the epoch in UTC, NaN where no time could be read; `values` (n,), NaN where there is none.
    """

    name: str
    rows: Places
    seconds: Seconds
    values: Numbers


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that was read. Every row belongs to one series in long files, and to all of them in wide ones.

    `times` are the cells as they are written, and `lines` those at which they stand, by row; `notes` say what was
    guessed. With an error among `problems` there are no series.
    """

    path: str
    times: tuple[str, ...]
    lines: Sequence[int]
    series: tuple[Cells, ...]
    time_column: str
    value_columns: tuple[str, ...]
    by_columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
