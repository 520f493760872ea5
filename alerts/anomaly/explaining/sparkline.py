"""Series as a line of characters."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_NOTHING: Final = " "


def sparkline(values: NDArray[np.floating[Any]], width: int, low: float, high: float) -> str:
    """At most `width` characters: each the value of its stretch that is furthest from the middle of the whole.

    Blank where a stretch has no sample. `low` … `high` is the range of all lines that stand under one another.
    """
    count = len(values)
    if not count or width < 1:
        return ""
    edges = np.linspace(0, count, min(width, count) + 1).astype(int)
    middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    return "".join(_block(values[start:stop], middle, low, high) for start, stop in pairwise(edges))


def _block(part: NDArray[np.floating[Any]], middle: float, low: float, high: float) -> str:
    known = part[np.isfinite(part)]
    if not len(known):
        return _NOTHING
    value = float(known[np.argmax(np.abs(known - middle))])
    share = (value - low) / (high - low) if high > low else 0.5
    return _BLOCKS[min(int(max(share, 0.0) * len(_BLOCKS)), len(_BLOCKS) - 1)]


def marks_under(spans: Sequence[tuple[float, float]], width: int) -> str:
    """`^` where a span (shares of the whole, start and end) lies."""
    marks = [" "] * width
    for start, end in spans:
        for at in range(int(start * width), max(int(np.ceil(end * width)), int(start * width) + 1)):
            if at < width:
                marks[at] = "^"
    return "".join(marks).rstrip()
