"""The level: where a series has been for the past day, refreshed once an hour from what came before."""

from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.medians import median
from alerts.anomaly.detector.model import Booleans, Floats, Steps
from alerts.anomaly.detector.settings import (
    BLOCKS_A_DAY,
    HELD_DAYS,
    LEAST_LEVEL_STEPS,
    USUAL_DAYS,
)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Hours of (S, T) steps, whole hours since the epoch: all of shape (S, number of blocks)."""

    medians: Floats  # of what was learnt; NaN: nothing
    learnt: Floats  # how many samples that was
    seen: Floats  # how many samples there were
    steps: int  # of a block
    before: int  # steps of the first block that come before the panel


def in_blocks(values: Floats, steps: int, before: int, fill: float) -> Floats:
    """(S, T) as (S, blocks, steps), filled at both ends."""
    series, count = values.shape
    after = -(before + count) % steps
    if before or after:
        values = np.pad(values, ((0, 0), (before, after)), constant_values=fill)
    return values.reshape(series, values.shape[1] // steps, steps)


def blocks_of(values: Floats, learnt: Floats, first: int, steps: int, *, holes: bool) -> Blocks:
    """Medians and counts of each block; `learnt` is `values` without the steps that are not learnt from."""
    before = first % steps
    parts = in_blocks(learnt, steps, before, np.nan)
    whole = not holes and parts.shape[1] * steps == values.shape[1]
    medians = median([parts[:, :, at] for at in range(steps)], holes=not whole)
    if whole:
        full = np.full(medians.shape, steps, dtype=np.float32)
        return Blocks(medians, full, full, steps, before)
    known = np.isfinite(parts).sum(axis=2).astype(np.float32)
    seen = known if learnt is values else np.isfinite(in_blocks(values, steps, before, np.nan)).sum(axis=2)
    return Blocks(medians, known, seen.astype(np.float32), steps, before)


def over_past(blocks: Floats, width: int) -> Floats:
    """Sum over the `width` blocks before each, and one more: before the block that follows the last."""
    sums = np.zeros((blocks.shape[0], blocks.shape[1] + 1), dtype=np.float64)
    np.cumsum(blocks, axis=1, out=sums[:, 1:])
    late = sums.copy()
    late[:, width:] -= sums[:, :-width] if width < sums.shape[1] else 0
    return late.astype(np.float32)


def levels(blocks: Blocks) -> Floats:
    """Level during each block and during the one that follows (S, blocks + 1), each from the day before it.

    The median of the past 24 blocks' medians; NaN before there are five samples. Where nothing was learnt for a day it
    stands as it was, for a week.
    """
    series, count = blocks.medians.shape
    padded = np.full((series, BLOCKS_A_DAY + count), np.nan, dtype=np.float32)
    padded[:, BLOCKS_A_DAY:] = blocks.medians
    holes = bool(np.isnan(blocks.medians).any())
    result = np.full((series, count + 1), np.nan, dtype=np.float32)
    start = 0
    if not holes and count >= BLOCKS_A_DAY:
        start = BLOCKS_A_DAY
        whole = [padded[:, start + back : count + 1 + back] for back in range(BLOCKS_A_DAY)]
        result[:, start:] = median(whole, holes=False)
    end = start if start else count + 1
    result[:, :end] = median([padded[:, back : end + back] for back in range(BLOCKS_A_DAY)])
    result[~enough_learnt(over_past(blocks.learnt, BLOCKS_A_DAY))] = np.nan
    return held(result, HELD_DAYS * BLOCKS_A_DAY) if np.isnan(result[:, 1:]).any() else result


def level_of(medians: Floats) -> Floats:
    """Level (S,) after the hours whose medians these are (24, S)."""
    return median(list(medians), holes=bool(np.isnan(medians).any()))


def enough_learnt(samples: Floats) -> Booleans:
    """Whether so many samples of the past day make a level."""
    enough: Booleans = samples >= LEAST_LEVEL_STEPS
    return enough


def held(values: Floats, most: int) -> Floats:
    """The last value stands where there is none, for at most so many columns."""
    columns = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.isfinite(values), columns, -1), axis=1)
    near = (last >= 0) & (columns - last <= most)
    return np.where(near, np.take_along_axis(values, np.maximum(last, 0), axis=1), np.float32(np.nan))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the day before each block, and before the one that follows the last: (S, blocks + 1)."""

    share: Floats  # of the day's steps, or of those since the panel's start
    usual: Floats  # the most of that share in the past week: what an irregular series usually has


def share_of(seen: Floats, age: Steps, steps: int) -> Floats:
    """Of the past day's steps, or of those since the first sample, `age` steps ago, so many were seen."""
    whole = np.clip(age, 1, BLOCKS_A_DAY * steps).astype(np.float32)
    share: Floats = np.minimum(seen / whole, np.float32(1))
    return share


def coverage(blocks: Blocks, began: Steps, first: int) -> Coverage:
    """How much of the past day was seen. Before a day has passed: of the time since the first sample."""
    starts = first - blocks.before + np.arange(blocks.seen.shape[1] + 1) * blocks.steps
    share = share_of(over_past(blocks.seen, BLOCKS_A_DAY), starts - began[:, None], blocks.steps)
    usual = share.copy()
    for back in range(BLOCKS_A_DAY, USUAL_DAYS * BLOCKS_A_DAY + 1, BLOCKS_A_DAY):
        usual[:, back:] = np.maximum(usual[:, back:], share[:, :-back] if back < share.shape[1] else 0)
    return Coverage(share, usual)


def enough(share: Floats, usual: Floats, least: float) -> Booleans:
    """Whether that is enough of the past to score by."""
    return (share > 0) & (share >= np.float32(least) * usual)
