"""Which baseline is trusted, and when a level is a new one: by how far each baseline was off lately.

Errors are summed over the steps between fits and weighed by age, so the state is a few numbers a series.
"""

import math
from dataclasses import dataclass

import numpy as np

from alerts.anomaly.detector.baselines import DAILY, LEVEL, NONE, WEEKLY
from alerts.anomaly.detector.model import NEVER, Booleans, Codes, Floats, Steps
from alerts.anomaly.detector.settings import (
    CHOICE_DAYS,
    FLOOR,
    LEAST_CHOICE_SHARE,
    SEASON_CHOICE_DAYS,
    SHIFT_RATIO,
)

ERRORS = 6
"""Of the level, the daily and the weekly baseline; of the daily one without today's level; and with a longer memory of
the daily and the weekly one, where there are both."""
_PLAIN = 3
_BOTH = slice(4, 6)
_QUIET_DAYS = 7
"""After one was announced: until then the days that are compared with are of the old level, or of both."""
_YOUNG_DAYS = 3
"""Before two weeks are known a weekend looks like a level shift: it has to last longer."""


@dataclass(slots=True)
class Choosing:
    """Of S series: errors lately and since the last fit, and how long a shift has been seen."""

    errors: Floats  # (S, 6) sums weighed by age, up to the last fit
    weights: Floats  # (S, 6)
    since: Floats  # (S, 6) sums since the last fit
    count: Floats  # (S, 6)
    run: Steps  # (S,) fits in a row that saw a shift; below 0: one was announced lately
    anchor: Steps  # (S,) step at which the last shift was announced; `NEVER`: none was

    @classmethod
    def empty(cls, series: int) -> "Choosing":
        """Nothing known."""
        none = np.zeros((series, ERRORS), dtype=np.float32)
        return cls(
            none,
            none.copy(),
            none.copy(),
            none.copy(),
            np.zeros(series, dtype=np.int64),
            np.full(series, NEVER, dtype=np.int64),
        )

    def add(self, sums: Floats, counts: Floats) -> None:
        """Errors (S, 6) of learnt steps since the last fit, and how many there were."""
        self.since += sums
        self.count += counts

    def close(self, index: int, per_day: int, refit: int, level: Floats, mature: Booleans) -> Booleans:
        """Before step `index`, at which a fit is due: age the errors; True (S,) where a new level is announced."""
        seen = sees_shift(self.since, self.count, level, refit)
        self.run, shifted = _advanced(self.run, seen, mature, math.ceil(per_day / refit))
        self.anchor[shifted] = index
        kept = kept_share(per_day, refit)
        self.errors = self.errors * kept + self.since
        self.weights = self.weights * kept + self.count
        self.errors[shifted, _BOTH], self.weights[shifted, _BOTH] = 0, 0  # weeks of the old level say nothing now
        self.since = np.zeros_like(self.since)
        self.count = np.zeros_like(self.count)
        return shifted

    def chosen(self, per_day: int) -> tuple[Codes, Codes]:
        """(of all three, of the seasonal two) the one with the least error; NONE where none is known well enough."""
        return least(self.errors, self.weights, per_day)


def all_errors(level: Floats, daily: Floats, weekly: Floats, plain: Floats) -> list[Floats]:
    """The six (S, n), of what was off by how much."""
    both = np.isfinite(weekly)
    if both.all():
        return [level, daily, weekly, plain, daily, weekly]
    return [level, daily, weekly, plain, np.where(both, daily, np.float32(np.nan)), weekly]


def kept_share(per_day: int, refit: int) -> Floats:
    """How much of each older error counts one fit later (6,)."""
    memory = np.array([CHOICE_DAYS] * _BOTH.start + [SEASON_CHOICE_DAYS] * 2)
    return np.exp(-refit / (per_day * memory)).astype(np.float32)


def sees_shift(sums: Floats, counts: Floats, level: Floats, refit: int) -> Booleans:
    """Whether the adjusted baseline beat both plain ones since the last fit: no shape of the day or the week did that.

    `sums` and `counts` (…, 6), `level` (…).
    """
    mean = sums / np.maximum(counts, 1)
    plain, weekly = mean[..., _PLAIN], mean[..., WEEKLY - 1]
    plain = np.where(counts[..., WEEKLY - 1] > 0, np.minimum(plain, weekly), plain)
    noise = np.fmax(np.abs(level), np.float32(0)) * np.float32(FLOOR)
    enough = counts[..., _PLAIN] * 2 >= refit
    seen: Booleans = enough & (plain > SHIFT_RATIO * mean[..., DAILY - 1] + noise)
    return seen


def _advanced(run: Steps, seen: Booleans, mature: Booleans, day: int) -> tuple[Steps, Booleans]:
    """The runs one fit later, and where a shift has now been seen for a day."""
    need = np.where(mature, day, _YOUNG_DAYS * day)
    opening = np.where(seen, run + 1, np.maximum(run - 2, 0))
    after = np.where(run >= 0, opening, run + 1)
    shifted = after >= need
    return np.where(shifted, -_QUIET_DAYS * day, after), shifted


def least(errors: Floats, weights: Floats, per_day: int) -> tuple[Codes, Codes]:
    """(of level, daily and weekly; of the seasonal two) the one with the least mean error: (…,) of sums (…, 6)."""
    known = weights[..., :_PLAIN] >= LEAST_CHOICE_SHARE * per_day
    means = errors[..., :_PLAIN] / np.maximum(weights[..., :_PLAIN], np.float32(1e-9))
    means = np.where(known, means, np.float32(np.inf))
    level, daily, weekly = means[..., 0], means[..., 1], means[..., 2]
    of_two = np.where(weekly < daily, np.uint8(WEEKLY), np.where(known[..., 1], np.uint8(DAILY), np.uint8(NONE)))
    plain = np.where(known[..., 0], np.uint8(LEVEL), np.uint8(NONE))
    best = np.where(level <= np.minimum(daily, weekly), plain, of_two)
    both = weights[..., _BOTH]
    long = errors[..., _BOTH] / np.maximum(both, np.float32(1e-9))
    sure = both[..., 1] >= LEAST_CHOICE_SHARE * per_day
    return best, np.where(sure & (long[..., 1] < long[..., 0]), np.uint8(WEEKLY), np.uint8(DAILY))


@dataclass(frozen=True, slots=True)
class Choices:
    """At every fit: (S, fits)."""

    best: Codes
    seasonal: Codes
    shifted: Booleans
    anchors: Steps  # of the last shift before


def replayed(
    sums: Floats, counts: Floats, level: Floats, mature: Booleans, starts: Steps, per_day: int, refit: int
) -> tuple[Choosing, Choices]:
    """What `Choosing` comes to if fed stretch after stretch, with the sums (S, stretches, 6) of each.

    `level` and `mature` (S, stretches) where each begins, `starts` (stretches,) the steps; only the first of them may
    begin between two fits.
    """
    series, stretches = sums.shape[:2]
    kept = np.tile(kept_share(per_day, refit), 2)
    aged = np.zeros((stretches, series, 2 * ERRORS), dtype=np.float32)
    both = np.concatenate([sums, counts], axis=2)
    run, shifted, anchors = _runs(sums, counts, level, mature, starts, math.ceil(per_day / refit), refit)
    for number in range(1, stretches):
        aged[number] = aged[number - 1] * kept + both[:, number - 1]
        new = np.flatnonzero(shifted[:, number])
        if new.size:
            aged[number].reshape(series, 2, ERRORS)[new, :, _BOTH] = 0
    best, seasonal = least(aged[..., :ERRORS].swapaxes(0, 1), aged[..., ERRORS:].swapaxes(0, 1), per_day)
    anchor = anchors[:, -1].copy()
    last = aged[-1]
    state = Choosing(
        last[:, :ERRORS].copy(), last[:, ERRORS:].copy(), sums[:, -1].copy(), counts[:, -1].copy(), run, anchor
    )
    return state, Choices(best, seasonal, shifted, anchors)


def _runs(
    sums: Floats, counts: Floats, level: Floats, mature: Booleans, starts: Steps, day: int, refit: int
) -> tuple[Steps, Booleans, Steps]:
    series, stretches = sums.shape[:2]
    seen = np.zeros((series, stretches), dtype=bool)
    seen[:, 1:] = sees_shift(sums[:, :-1], counts[:, :-1], level[:, 1:], refit)
    shifted = np.zeros_like(seen)
    run = np.zeros(series, dtype=np.int64)
    rows = np.flatnonzero(seen.any(axis=1))
    if rows.size:
        here = run[rows]
        for number in range(1, stretches):
            here, shifted[rows, number] = _advanced(here, seen[rows, number], mature[rows, number], day)
        run[rows] = here
    anchors = np.maximum.accumulate(np.where(shifted, starts, NEVER), axis=1)
    return run, shifted, anchors


def take(choice: Codes, level: Floats, daily: Floats, weekly: Floats) -> tuple[Floats, Codes]:
    """The chosen baseline and its code; where it is missing the daily one, else the level. All of one shape."""
    known = np.isfinite(daily)
    value, code = daily.copy(), known.astype(np.uint8) * np.uint8(DAILY)
    wanted = (choice == WEEKLY) & np.isfinite(weekly)
    if wanted.any():
        np.copyto(value, weekly, where=wanted)
        np.copyto(code, np.uint8(WEEKLY), where=wanted)
    wanted = ((choice == LEVEL) | (code == NONE)) & np.isfinite(level)
    if wanted.any():
        np.copyto(value, level, where=wanted)
        np.copyto(code, np.uint8(LEVEL), where=wanted)
    return value, code
