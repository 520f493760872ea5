"""Samples of many series on one grid, as an array. Imports numpy: for whoever computes on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SampleMatrix:
    """`values` (series × steps), NaN where there is no sample; column i belongs to (first + i) · step after the epoch.

    Rows are in the order of `labels`; no two rows have the same labels.
    """

    labels: tuple[Mapping[str, str], ...]
    first: int
    step: timedelta
    values: NDArray[np.float32]
