"""The last days of months as PromQL: how much weighted time of them lies between a window's start and its moments.

Months are found by the date functions of PromQL, one after the other back from each moment, on the clock of the wall.
(A table of all months until 2037 would take Prometheus half a second a minute.)
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.calendar.ledgers import longest_period
from controlplane.model.rule import Labels, RecordingRule
from controlplane.model.slo import CalendarWindow, Window
from finops.budgets.window_pace import DAY_SECONDS, WindowPace, weeks

_SHORTEST_MONTH: Final = timedelta(days=28)
_FIRST, _LAST = "first", "last"


def rules(own: str, labels: Labels, of: WindowPace) -> Iterator[RecordingRule]:
    """What `weight` reads; evaluated in this order. `own` selects the pace, whose series get the `labels`."""
    wall = f"{names.PACING_WALL}{{{own}}}"
    rest_of_month = f"(days_in_month({wall}) - day_of_month({wall}) + 1) * {DAY_SECONDS}"
    ends = f"{wall} - {wall} % {DAY_SECONDS} + {rest_of_month}"
    yield RecordingRule(names.PACING_MONTH_END, ends, (*labels, (names.AGO, "0")))
    for ago in range(1, _months(of.window) + 1):
        later = f'max without ({names.AGO}) ({names.PACING_MONTH_END}{{{own},{names.AGO}="{ago - 1}"}})'
        ends = f"{later} - days_in_month({later} - {DAY_SECONDS}) * {DAY_SECONDS}"
        yield RecordingRule(names.PACING_MONTH_END, ends, (*labels, (names.AGO, str(ago))))
    for edge, expr in ((_FIRST, _first(own, of)), (_LAST, _last(own, wall))):
        yield RecordingRule(names.PACING_EDGE, expr, (*labels, (names.EDGE, edge)))
    yield RecordingRule(names.PACING_EDGE_WEIGHT, weeks(f"{names.PACING_EDGE}{{{own}}}", of.pace), labels)


def weight(own: str) -> str:
    """Weighted time of months' last days from shortly before the window's start up to its moments."""
    first, last = (
        f'max without ({names.EDGE}) ({names.PACING_EDGE_WEIGHT}{{{own},{names.EDGE}="{edge}"}})'
        for edge in (_FIRST, _LAST)
    )
    return f"sum without ({names.AGO}) (clamp_min({last} - {first}, 0))"


def _first(own: str, of: WindowPace) -> str:
    """Where the last days of each month begin, but not before the day before the window's start."""
    begins = f"{names.PACING_MONTH_END}{{{own}}} - {of.pace.month_end_days * DAY_SECONDS}"
    start = f'scalar({names.PACING_WALL}{{{own},{names.MOMENT}="start"}})'
    return f"clamp_min({begins}, {start} - {DAY_SECONDS})"


def _last(own: str, wall: str) -> str:
    """Where they end, but not after the moment."""
    ends = f"{names.PACING_MONTH_END}{{{own}}}"
    joined = f"on ({names.MOMENT}) group_left ()"
    return f"{ends} < {joined} {wall}\nor\n0 * {ends} + {joined} {wall}"


def _months(window: Window) -> int:
    """How many months back from its end a window may reach, and one more."""
    length = longest_period(window) if isinstance(window, CalendarWindow) else window.length
    return -(-length // _SHORTEST_MONTH) + 1
