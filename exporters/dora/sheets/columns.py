"""What a sheet is made of: rows of numbers, laid out in memory as they are in the database. Little-endian throughout.

Durations are whole seconds; an unknown one is `UNKNOWN`, one that is not over yet `OPEN`. Names are the
first 64 bits of their BLAKE2b: enough to tell those of one day apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from exporters.dora.model import FailureReason, ReworkReason, Stage

UNKNOWN: Final = -1
OPEN: Final = -2
LONGEST: Final = 2**31 - 1  # seconds, 68 years: what lasts longer is cut
STAGES: Final = tuple(Stage)  # the columns of a change behind its lead time, in this order
FAILURES: Final = (None, *FailureReason)  # by code
REWORKS: Final = (None, *ReworkReason)

DEPLOYMENT: Final = np.dtype(
    [
        ("second", "<u4"),  # of the day
        ("failure", "u1"),  # position in FAILURES
        ("rework", "u1"),
        ("unexplained", "u1"),  # 1: nobody knows what it brought
        ("recovery", "<i4"),  # UNKNOWN also for one that did not fail
        ("run", "<u8"),  # 0: none
    ]
)
CHANGE: Final = np.dtype(
    [
        ("second", "<u4"),  # of its deployment
        ("lead", "<i4"),
        *((stage.value, "<i4") for stage in STAGES),
    ]
)
INCIDENT: Final = np.dtype(
    [
        ("second", "<u4"),  # of its start
        ("restore", "<i4"),
        ("incident", "<u8"),
        ("deployment", "<u8"),  # that it is held against; 0: none
        ("reason", "u1"),  # position in AttributionReason
    ]
)
COUNTED: Final = np.dtype("<u8")
Rows = npt.NDArray[np.void]
Hashes = npt.NDArray[np.uint64]


def nothing(dtype: np.dtype[np.void]) -> Rows:
    """No rows."""
    return np.empty(0, dtype)


@dataclass(frozen=True, eq=False)
class DaySheet:
    """One day. Rows are sorted by (time, id); `counted` are hashes of what counters have counted of it, sorted."""

    deployments: Rows = field(default_factory=lambda: nothing(DEPLOYMENT))
    changes: Rows = field(default_factory=lambda: nothing(CHANGE))
    incidents: Rows = field(default_factory=lambda: nothing(INCIDENT))
    counted: Hashes = field(default_factory=lambda: np.empty(0, COUNTED))

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing, and nothing of it was ever counted."""
        return not any(len(rows) for rows in (self.deployments, self.changes, self.incidents, self.counted))


def hashed(*names: str) -> int:
    """A name as a number that is not 0."""
    digest = blake2b("\0".join(names).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def sorted_hashes(numbers: Iterable[int]) -> Hashes:
    """Each once."""
    return np.unique(np.fromiter(numbers, COUNTED))
