"""Which series belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]
Floats: TypeAlias = NDArray[np.floating[Any]]
Booleans: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Groups:
    """`of` (S,): the number of each series' group, −1: none. `labels`: what members have in common, by number."""

    of: Rows
    labels: tuple[Mapping[str, str], ...]

    @property
    def count(self) -> int:
        """How many groups."""
        return len(self.labels)

    def sums(self, values: Reals) -> Reals:
        """(S,) → (G,): the sum over members. NaN is no number here: put 0 for what is missing."""
        member = self.of >= 0
        return np.bincount(self.of[member], values[member], self.count).astype(np.float64)


def group(labels: Sequence[Mapping[str, str]], by: Sequence[str]) -> Groups:
    """Series by their values of these labels, sorted by them. `by` empty: one group of all.

    A series that has none of these labels is in no group; one that lacks some is with those that lack them, too.
    """
    keys = [tuple(each.get(name, "") for name in by) for each in labels]
    wanted = sorted({key for key in keys if not by or any(key)})
    number = {key: place for place, key in enumerate(wanted)}
    of = np.array([number.get(key, -1) for key in keys], dtype=np.int64)
    named = tuple({name: value for name, value in zip(by, key, strict=True) if value} for key in wanted)
    return Groups(of, named)
