"""The periods of calendar windows on the grid of a replay (`slo.passes.calendar` says the same in PromQL)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from controlplane.calendar.periods import period_at, periods_between
from controlplane.model.slo import CalendarWindow, Window
from slo.replay.history import TILE, Span, minute_of
from slo.replay.sliding import Floats, Whole

TRAILING_ENTRIES: Final = 8_064  # four weeks of the ledger: what is expected of the rest of a period
_DAY_ENTRIES: Final = 288


@dataclass(frozen=True, slots=True)
class Periods:
    """For each ledger entry: where its period begins on the grid, how many entries it has had, and will have.

    `trailing` is how many entries back the rest of a period is judged by.
    """

    first: Whole
    elapsed: Floats
    whole: Floats
    trailing: int


def periods_of(window: Window, span: Span) -> Periods | None:
    """The periods of a calendar window; None for a rolling one."""
    if not isinstance(window, CalendarWindow):
        return None
    entries = span.first + TILE * np.arange(-(-span.minutes // TILE))
    starts, ends = np.zeros(len(entries)), np.zeros(len(entries))
    for start, end in periods_between(window, span.at(0), span.at(span.minutes - 1)):
        inside = (entries >= start.timestamp() / 60) & (entries < end.timestamp() / 60)
        starts[inside], ends[inside] = start.timestamp() / 60, end.timestamp() / 60
    first = np.maximum(0, np.ceil((starts - span.first) / TILE)).astype(np.int64)
    nominal = int(window.length.total_seconds() // 60) // TILE
    trailing = min(TRAILING_ENTRIES, max(_DAY_ENTRIES, nominal))
    return Periods(first, (entries - starts) // TILE + 1, (ends - starts) / TILE, trailing)


def minutes_before(window: Window, since: datetime) -> int:
    """How much of the past a budget needs to be known at `since`: its window, of a calendar what had begun."""
    nominal = int(window.length.total_seconds() // 60)
    if not isinstance(window, CalendarWindow):
        return nominal
    return max(minute_of(since) - minute_of(period_at(window, since)[0]), TILE * TRAILING_ENTRIES)
