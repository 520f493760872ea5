"""Rows of a long file by series."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import MOST_CHARACTERS, MOST_SERIES, Places, Seconds

_TWICE: Final = 0.05  # of the rows with a time that is there already: something tells them apart


class TooMany(Exception):
    """More series than are read."""


def split(
    texts: Sequence[Sequence[str]], certain: int, seconds: Seconds, *, several: bool
) -> tuple[tuple[int, ...], list[tuple[str, Places]]]:
    """Which of the columns tell series apart, and each series with its rows, in the order of first appearance.

    The first `certain` columns do. Others do if the same time is there several times, and less often with them.
    A column that says the same everywhere names the series only if it is alone.
    """
    chosen = list(range(certain))
    codes = _codes([texts[at] for at in chosen], len(seconds))
    for at in range(certain, len(texts)):
        repeated = _repeated(codes, seconds)
        if repeated <= _TWICE * len(seconds):
            break
        tried = _codes([*(texts[each] for each in chosen), texts[at]], len(seconds))
        if tried.max(initial=0) < MOST_SERIES and _repeated(tried, seconds) < 0.7 * repeated:
            chosen.append(at)
            codes = tried
    if codes.max(initial=0) >= MOST_SERIES:
        raise TooMany(f"has {int(codes.max()) + 1:,} series, at most {MOST_SERIES:,} are read")
    telling = [at for at in chosen if len(set(texts[at])) > 1] or chosen[:1]
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    groups = np.split(order, edges) if len(order) else []
    return tuple(chosen), [(_name(texts, telling, int(rows[0])), rows) for rows in groups]


def _name(texts: Sequence[Sequence[str]], telling: Sequence[int], row: int) -> str:
    return " ".join(texts[at][row] for at in telling)[:MOST_CHARACTERS]


def _codes(columns: Sequence[Sequence[str]], count: int) -> Places:
    """A number for each combination of cells, in the order of first appearance."""
    known: dict[tuple[str, ...], int] = {}
    if not columns:
        return np.zeros(count, dtype=np.int64)
    return np.array([known.setdefault(cells, len(known)) for cells in zip(*columns, strict=True)], dtype=np.int64)


def _repeated(codes: Places, seconds: Seconds) -> int:
    """How many rows have a time and series that an earlier row has."""
    known = np.isfinite(seconds)
    if not known.any():
        return 0
    at, of = seconds[known], codes[known]
    order = np.lexsort((at, of))
    return int(((np.diff(at[order]) == 0) & (np.diff(of[order]) == 0)).sum())
