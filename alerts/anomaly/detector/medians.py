"""Medians across a few arrays, by sorting networks: all series and steps at once, without a sort for each."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from alerts.anomaly.detector.model import Floats

_TILE = 8192


@cache
def network(width: int) -> tuple[tuple[int, int], ...]:
    """Comparators that sort `width` values (Batcher's odd–even merge sort, Knuth 5.2.2 M), in order."""
    found: list[tuple[int, int]] = []
    half = 1
    while half < width:
        half *= 2
    whole, half = half, half // 2
    step = half
    while step > 0:
        far, offset, distance = whole // 2, 0, step
        while True:
            found += [(i, i + distance) for i in range(width - distance) if i & step == offset]
            if far == step:
                break
            distance, far, offset = far - step, far // 2, step
        step //= 2
    return tuple(found)


@cache
def median_network(width: int) -> tuple[tuple[int, int], ...]:
    """Those of `network` that the middle one or two depend on."""
    needed = {(width - 1) // 2, width // 2}
    kept: list[tuple[int, int]] = []
    for low, high in reversed(network(width)):
        if low in needed or high in needed:
            kept.append((low, high))
            needed |= {low, high}
    return tuple(reversed(kept))


def _sorted(arrays: Sequence[Floats], comparators: tuple[tuple[int, int], ...]) -> list[Floats]:
    found = [array.copy() for array in arrays]
    spare = np.empty_like(found[0])
    for low, high in comparators:
        np.minimum(found[low], found[high], out=spare)
        np.maximum(found[low], found[high], out=found[high])
        found[low], spare = spare, found[low]
    return found


def _in_tiles(arrays: Sequence[Floats], comparators: tuple[tuple[int, int], ...]) -> Floats:
    """Median of arrays without holes, a few rows at a time, so that they stay in the cache."""
    width = len(arrays)
    rows, columns = arrays[0].shape
    result = np.empty((rows, columns), dtype=np.float32)
    tile = max(1, _TILE // max(columns, 1))
    for start in range(0, rows, tile):
        at = slice(start, start + tile)
        done = _sorted([array[at] for array in arrays], comparators)
        low, high = done[(width - 1) // 2], done[width // 2]
        result[at] = low if width % 2 else low * np.float32(0.5) + high * np.float32(0.5)
    return result


def median(arrays: Sequence[Floats], *, holes: bool = True) -> Floats:
    """Element-wise median of arrays of one shape; NaN are left out, and the result is NaN where all are.

    `holes` False promises that there is no NaN, which is several times faster. Infinite values must not occur.
    """
    width = len(arrays)
    if width == 1:
        return arrays[0].copy()
    if not holes:
        flat = arrays[0].ndim == 1
        whole = _in_tiles([array[None] for array in arrays] if flat else arrays, median_network(width))
        return whole[0] if flat else whole
    absent = [np.isnan(array) for array in arrays]
    count = width - np.sum(absent, axis=0, dtype=np.int16)
    filled = [np.where(gone, np.float32(np.inf), array) for gone, array in zip(absent, arrays, strict=True)]
    stack = np.stack(_sorted(filled, network(width)))
    low = np.take_along_axis(stack, np.maximum((count - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(stack, np.minimum(count // 2, width - 1)[None], axis=0)[0]
    some = count > 0
    middle = np.where(some, low, 0) * np.float32(0.5) + np.where(some, high, 0) * np.float32(0.5)
    found: Floats = np.where(some, middle, np.float32(np.nan))
    return found
