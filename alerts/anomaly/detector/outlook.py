"""What a fit takes from the past for the steps to come: seasons, hours and ranges. Series are the last axis of all."""

from dataclasses import dataclass, fields

import numpy as np

from alerts.anomaly.detector.baselines import block_lags, over_lags, spread, weekly_median
from alerts.anomaly.detector.carried import Carried
from alerts.anomaly.detector.levels import (
    Blocks,
    coverage,
    enough_learnt,
    level_of,
    over_past,
    share_of,
)
from alerts.anomaly.detector.medians import median
from alerts.anomaly.detector.model import NEVER, Floats, Lags, Panel, Steps, Terms
from alerts.anomaly.detector.prepared import Basis, Samples, Timing, recent_segments
from alerts.anomaly.detector.settings import BLOCKS_A_DAY, HELD_DAYS, USUAL_DAYS

_NAN = np.float32(np.nan)


@dataclass(slots=True)
class Outlook:
    """Of S series, from the step after the fit on."""

    plain: Floats  # (steps, S): median of the same phase of earlier days; NaN: none
    level_then: Floats  # (steps, S): median of the levels of those days
    weekly: Floats  # (steps, S)
    usual_then: Floats  # (blocks, S): the most coverage at the same hour of earlier days
    medians: Floats  # (24, S) of the past day's hours
    learnt: Floats  # (24, S) how many samples those are of
    seen: Floats  # (24, S) how many samples there were
    current: Floats  # (steps of an hour, S) what was learnt in this hour; row i: the step that is i modulo their number
    current_seen: Floats  # (S,)
    level: Floats  # (S,)
    age: Floats  # (S,) hours since anything was learnt of the level
    share: Floats  # (S,) of the past day's steps that were seen
    usual: Floats  # (S,) the most of that in the past week
    recent_lowest: Floats  # (S,)
    recent_highest: Floats

    def roll(self, began: Steps, start: int, steps: int, blocks: int) -> None:
        """The hour that ended before step `start` is over; `blocks` have since the fit."""
        counted = np.isfinite(self.current).sum(axis=0).astype(np.float32)
        holes = bool((counted < steps).any())
        self.medians = np.concatenate([self.medians[1:], median(list(self.current), holes=holes)[None]])
        self.learnt = np.concatenate([self.learnt[1:], counted[None]])
        self.seen = np.concatenate([self.seen[1:], self.current_seen[None]])
        known = enough_learnt(self.learnt.sum(axis=0))
        level = level_of(self.medians)
        self.age = np.where(known, 0, self.age + 1).astype(np.float32)
        self.level = np.where(known, level, np.where(self.age <= HELD_DAYS * BLOCKS_A_DAY, self.level, _NAN))
        self.share = share_of(self.seen.sum(axis=0), start - began, steps)
        then = self.usual_then[min(blocks, len(self.usual_then)) - 1]
        self.usual = np.maximum(self.share, then)
        self.current = np.full_like(self.current, _NAN)
        self.current_seen = np.zeros_like(self.current_seen)


def joined(parts: list[Outlook]) -> Outlook:
    """Several, one after the other."""
    return Outlook(
        *(np.concatenate([getattr(part, field.name) for part in parts], axis=-1) for field in fields(Outlook))
    )


def steps_ahead(panel: Panel) -> int:
    """How many steps after the panel can be scored: as far as all lags point at it."""
    count = panel.values.shape[1]
    ahead = 0
    for lags in (panel.phases.daily[count:], panel.phases.weekly[count:]):
        steps = np.arange(lags.shape[0])[:, None]
        late = ((lags > 0) & (lags <= steps)).any(axis=1)
        reach = int(late.argmax()) if late.any() else lags.shape[0]
        ahead = reach if not ahead else min(ahead, reach)
    return ahead


def outlook(panel: Panel, terms: Terms, basis: Basis, carried: Carried, ahead: int) -> Outlook:
    """Of a panel's end. The recent range is left to `recent_range`, which wants to know of a shift at that step."""
    timing = Timing.of(panel)
    samples, blocks, block_levels = basis.samples, basis.blocks, basis.block_levels
    whole = (timing.first + timing.count) % timing.block == 0
    here = blocks.medians.shape[1] if whole else blocks.medians.shape[1] - 1  # the block that is going on
    plain, level_then, weekly = _seasons(panel, terms, samples, blocks, block_levels, here, ahead)
    covered = coverage(blocks, carried.began, timing.first)
    series = samples.values.shape[0]
    current = np.full((timing.block, series), _NAN, dtype=np.float32)
    within = (timing.first + timing.count) % timing.block
    reach = min(within, timing.count)
    if reach:
        current[within - reach : within] = samples.learnt[:, timing.count - reach :].T
    return Outlook(
        plain,
        level_then,
        weekly,
        _usual_then(covered.share, here, ahead // timing.block + 2),
        _past_day(blocks.medians, here, np.nan),
        _past_day(blocks.learnt, here, 0),
        _past_day(blocks.seen, here, 0),
        current,
        np.isfinite(samples.values[:, timing.count - reach :]).sum(axis=1).astype(np.float32)
        if reach
        else np.zeros(series, dtype=np.float32),
        np.ascontiguousarray(block_levels[:, here]),
        _age(blocks, here),
        np.ascontiguousarray(covered.share[:, here]),
        np.ascontiguousarray(covered.usual[:, here]),
        np.full(series, _NAN, dtype=np.float32),
        np.full(series, _NAN, dtype=np.float32),
    )


def _seasons(
    panel: Panel, terms: Terms, samples: Samples, blocks: Blocks, block_levels: Floats, here: int, ahead: int
) -> tuple[Floats, Floats, Floats]:
    """As `prepared.seasons`, of the steps to come (steps, S)."""
    count = samples.values.shape[1]
    nothing = np.full((ahead, samples.values.shape[0]), _NAN, dtype=np.float32)
    plain, level_then, weekly = nothing, nothing, nothing
    if terms.daily and ahead:
        lags: Lags = panel.phases.daily[: count + ahead]
        in_hours = block_lags(lags, blocks.before, blocks.steps)[here:]
        then = over_lags(block_levels, in_hours, here, holes=bool(np.isnan(block_levels).any()))
        within = (panel.grid.first + count) % blocks.steps
        level_then = spread(then, within, ahead, blocks.steps)
        plain = over_lags(samples.learnt, lags[count:], count, holes=samples.holes, third=level_then).T
        level_then = level_then.T
    if terms.weekly and ahead:
        lags = panel.phases.weekly[count : count + ahead]
        weekly = weekly_median(samples.learnt, lags, count, plain.T, holes=samples.holes).T
    return np.ascontiguousarray(plain), np.ascontiguousarray(level_then), np.ascontiguousarray(weekly)


def _past_day(blocks: Floats, here: int, fill: float) -> Floats:
    found = np.full((BLOCKS_A_DAY, blocks.shape[0]), fill, dtype=np.float32)
    reach = min(here, BLOCKS_A_DAY)
    if reach:
        found[BLOCKS_A_DAY - reach :] = blocks[:, here - reach : here].T
    return found


def _usual_then(share: Floats, here: int, blocks: int) -> Floats:
    """The most of the coverage at the same hour of earlier days, for the blocks after `here`."""
    found = np.zeros((blocks, share.shape[0]), dtype=np.float32)
    for ahead in range(blocks):
        for day in range(1, USUAL_DAYS + 1):
            at = here + 1 + ahead - day * BLOCKS_A_DAY
            if 0 <= at <= here:
                found[ahead] = np.maximum(found[ahead], share[:, at])
    return found


def _age(blocks: Blocks, here: int) -> Floats:
    """Hours since the level was learnt."""
    known = enough_learnt(over_past(blocks.learnt, BLOCKS_A_DAY)[:, : here + 1])
    last = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    age = np.where(known.any(axis=1), here - last, HELD_DAYS * BLOCKS_A_DAY + 1)
    return age.astype(np.float32)


def recent_range(basis: Basis, timing: Timing, carried: Carried) -> tuple[Floats, Floats]:
    """Least and most of the past two weeks, or since a day before a level shift."""
    whole = basis.extremes
    aligned = (timing.first + timing.count) % timing.refit == 0
    number = timing.segments if aligned else timing.segments - 1  # of the segment that is going on
    width = recent_segments(timing)
    days = -(-timing.per_day // timing.refit)
    anchored = (carried.anchor - timing.first + timing.before) // timing.refit - days
    start = max(number - width, 0)
    starts = np.where(carried.anchor != NEVER, np.maximum(anchored, start), start)
    lowest = np.fmin.reduce(whole.lowest[:, start:], axis=1, initial=np.nan)
    highest = np.fmax.reduce(whole.highest[:, start:], axis=1, initial=np.nan)
    for row in np.flatnonzero(starts > start):
        lowest[row] = np.fmin.reduce(whole.lowest[row, starts[row] :], initial=np.nan)
        highest[row] = np.fmax.reduce(whole.highest[row, starts[row] :], initial=np.nan)
    return lowest.astype(np.float32), highest.astype(np.float32)
