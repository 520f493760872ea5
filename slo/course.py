"""The course of the budget of a calendar window, from its ledger, as the rules would have it."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.calendar.periods import period_at
from controlplane.model.slo import CalendarWindow

_TRAILING: Final = timedelta(weeks=4)  # as in slo.passes.calendar
_SHORTEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Events and ledger entries of a step that ends at `at`."""

    at: datetime
    all: float
    bad: float
    entries: float


def course(window: CalendarWindow, steps: Iterable[Step], budget_ratio: float) -> tuple[tuple[datetime, float], ...]:
    """The budget left at the end of each step (in order): 1 where a period begins.

    A step that spans two periods counts for the later one. Without any event there is no point.
    """
    points: list[tuple[datetime, float]] = []
    reach = min(_TRAILING, max(_SHORTEST, window.length))
    recent: deque[Step] = deque()
    period, seen = None, Step(datetime.min, 0, 0, 0)  # noqa: DTZ901 -- before everything
    for step in steps:
        recent.append(step)
        while recent[0].at <= step.at - reach:
            recent.popleft()
        if period is None or step.at >= period[1]:
            period, seen = period_at(window, step.at), Step(step.at, 0, 0, 0)
        seen = Step(step.at, seen.all + step.all, seen.bad + step.bad, seen.entries + step.entries)
        per_entry = sum(each.all for each in recent) / max(sum(each.entries for each in recent), 1)
        left = max((period[1] - period[0]) / LEDGER_INTERVAL - seen.entries, 0)
        whole = seen.all + per_entry * left
        if whole > 0:
            points.append((step.at, 1 - seen.bad / (budget_ratio * whole)))
    return tuple(points)
