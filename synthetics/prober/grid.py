"""When a check's turns are: a grid over time that is the same after every start, spread by the check's name."""

import math
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from controlplane.model.check import CheckKind

_HASH_BYTES: Final = 8
_CONFIRM_AT_MOST: Final = timedelta(seconds=5)
_AGAIN_AT_MOST: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Grid:
    """Turn number n starts at `offset_seconds + n * every_seconds`, in Unix time."""

    every_seconds: float
    offset_seconds: float

    def start_of(self, number: int) -> float:
        """When turn `number` is due."""
        return self.offset_seconds + number * self.every_seconds

    def first_from(self, at: float) -> int:
        """The first turn that is due at `at` or later."""
        number = math.ceil((at - self.offset_seconds) / self.every_seconds)
        while self.start_of(number) < at:  # rounding may leave us a hair before it
            number += 1
        while self.start_of(number - 1) >= at:
            number -= 1
        return number

    def latest_until(self, at: float) -> int:
        """The last turn that was due at `at` or earlier."""
        after = self.first_from(at)
        return after if self.start_of(after) <= at else after - 1


def share_of(kind: CheckKind, name: str, region: str) -> float:
    """Where within its interval a check has its turn, in [0, 1): the same in every process, even over many names."""
    text = "\0".join((kind.value, name, region)).encode()
    return int.from_bytes(blake2b(text, digest_size=_HASH_BYTES).digest()[:6], "big") / 2**48


def grid_of(kind: CheckKind, name: str, region: str, every: timedelta) -> Grid:
    """The grid of one check in one region."""
    seconds = every.total_seconds()
    return Grid(seconds, share_of(kind, name, region) * seconds)


def confirm_after(every: timedelta) -> float:
    """Seconds from the end of a first failure to the run out of turn that confirms it."""
    return min(every / 4, _CONFIRM_AT_MOST).total_seconds()


def again_after(every: timedelta) -> float:
    """Seconds from the end of a failure to the next look at what is down: who is well again must not wait for hours."""
    return min(every, _AGAIN_AT_MOST).total_seconds()
