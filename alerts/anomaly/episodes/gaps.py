"""Samples that used to come and do not: a signal of its own, which no score can give."""

from dataclasses import replace
from typing import Final

import numpy as np

from alerts.anomaly.episodes.model import GAP_OVER, Booleans, Change, Reason, Rules, Step
from alerts.anomaly.episodes.state import Presence, Reals, State, gap_change

USED_TO_COME: Final = 0.5  # share of steps with a sample, as for scores (ANOMALY.md: "below 50 % coverage no score")
GONE_AFTER_DAYS: Final = 7  # a series of a service that was taken down is no gap for ever
_LEAST_MEMORY: Final = 7  # steps; of daily series a day is only one of them


def presence_after(presence: Presence, step: Step, rules: Rules) -> tuple[Presence, list[Change]]:
    """Whether samples come, after a step; and gaps that opened or closed by it, in the order of the series.

    A gap opens after `rules.gap_steps` steps in a row without a sample, of a series that before had one in at least
    half of its steps (an exponentially weighted share over a day); it closes with the second sample in a row. After
    seven days the series is taken to be gone. A step that could not be read moves nothing.
    """
    if not step.is_read:
        return presence, []
    observed, memory = ~np.isnan(step.values), max(rules.per_day, _LEAST_MEMORY)
    moved = replace(
        presence,
        usual=presence.usual + (observed - presence.usual) / memory,
        missing=np.where(observed, 0, presence.missing + 1).astype(np.int32),
        present=np.where(observed, presence.present + 1, 0).astype(np.int32),
        seen=np.where(observed, step.index, presence.seen),
    )
    is_open = moved.is_open
    late = ~is_open & (moved.missing >= rules.gap_steps)
    opened = np.flatnonzero(late & (_before(moved, memory, late) >= USED_TO_COME)) if late.any() else _NONE
    closed = np.flatnonzero(is_open & (moved.present >= GAP_OVER))
    gone = np.flatnonzero(is_open & (moved.missing >= GONE_AFTER_DAYS * memory))
    if not (opened.size or closed.size or gone.size):
        return moved, []
    changes = [_closed(moved, int(row), step.index) for row in closed]
    changes += [gap_change(moved, int(row), step.index, step.index + 1, Reason.GONE) for row in gone]
    moved = replace(moved, is_open=is_open.copy(), started=moved.started.copy(), usual=moved.usual.copy())
    moved.is_open[opened], moved.started[opened] = True, moved.seen[opened] + 1
    moved.is_open[closed], moved.is_open[gone], moved.usual[gone] = False, False, 0.0
    changes += [gap_change(moved, int(row), step.index) for row in opened]
    return moved, sorted(changes, key=lambda each: each.row)


_NONE: Final = np.zeros(0, dtype=np.int64)


def _before(presence: Presence, memory: int, wanted: Booleans) -> Reals:
    """The share before the samples stopped: each missing step has multiplied it by 1 − 1/memory. −1 where unwanted."""
    grown = np.full(len(wanted), -1.0)
    faded = np.power(1 - 1 / memory, presence.missing[wanted], dtype=np.float64)
    grown[wanted] = presence.usual[wanted] / np.maximum(faded, np.finfo(np.float64).tiny)
    return grown


def _closed(presence: Presence, row: int, index: int) -> Change:
    first = max(index - int(presence.present[row]) + 1, int(presence.started[row]) + 1)
    return gap_change(presence, row, index, first, Reason.RECOVERED)


def without(presence: Presence, rows: Booleans) -> Presence:
    """With gaps of these series ended; none opens anew before samples have come for most of a day."""
    return replace(presence, is_open=presence.is_open & ~rows, usual=np.where(rows, 0.0, presence.usual))


def hushed_gaps(state: State, rows: Booleans) -> tuple[State, list[Change]]:
    """End these series' open gaps, which somebody says are expected."""
    ended = state.presence.is_open & rows
    changes = [
        gap_change(state.presence, int(row), state.index, state.index + 1, Reason.EXPECTED)
        for row in np.flatnonzero(ended)
    ]
    return replace(state, presence=without(state.presence, ended)), changes
