"""Paces as PromQL: the rules that all budgets with one window and one pace share.

Each pace records four moments (now, 5 minutes ago, the window's start and its end) and how much weighted time there was
up to each, counted from a fixed Monday. Everything else is a difference of those. Weighted time is computed on the
clock of the wall, where days are 24 hours long; what a change of clocks skips or repeats is tabled when the rules are
compiled, and taken out again, so that the sums are those of `finops.budgets.pacing` (real seconds).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number
from controlplane.calendar.periods import unix
from controlplane.calendar.rules import bounds
from controlplane.calendar.tables import TABLE_END, TABLE_START
from controlplane.calendar.zones import zone
from controlplane.model.budget import Pace
from controlplane.model.rule import Labels, RecordingRule, Rule
from controlplane.model.slo import CalendarWindow, Window
from finops.budgets import month_ends
from finops.budgets.pacing import day_weight
from finops.budgets.window_pace import WindowPace, weeks

CALENDARS_OF: Final = "budgets"  # what tells our calendars from those of SLOs
NOW, BEFORE, START, END = "now", "before", "start", "end"
_ROLLING_SECONDS: Final = 300
_DAY: Final = 86_400


def rules(of: WindowPace) -> Iterator[Rule]:
    """Evaluated every minute, in this order; they read the calendars of budgets."""
    labels: Labels = ((names.PACE, of.name),)
    for moment, expr in _moments(of.window):
        yield RecordingRule(names.PACING_AT, expr, (*labels, (names.MOMENT, moment)))
    own = f'{names.PACE}="{of.name}"'
    weight = f"{names.PACING_AT}{{{own}}}"
    if not of.pace.is_even:
        yield RecordingRule(names.PACING_WALL, _wall(weight, of.pace.time_zone), labels)
        if _has_month_ends(of.pace):
            yield from month_ends.rules(own, labels, of)
        yield RecordingRule(names.PACING_WEIGHT, _weight(own, of.pace), labels)
        weight = f"{names.PACING_WEIGHT}{{{own}}}"

    def upto(moment: str) -> str:
        selected = f'{weight.removesuffix("}")},{names.MOMENT}="{moment}"}}'
        return f"max without ({names.MOMENT}) ({selected})"

    whole = f"(({upto(END)} - {upto(START)}) > 0)"
    yield RecordingRule(names.PACING_SHARE, f"({upto(NOW)} - {upto(BEFORE)})\n/ {whole}", labels)
    yield RecordingRule(names.PACING_RATIO, f"({upto(NOW)} - {upto(START)})\n/ {whole}", labels)


def _moments(window: Window) -> Iterator[tuple[str, str]]:
    if isinstance(window, CalendarWindow):
        began, ends = bounds(window, CALENDARS_OF)
    else:
        began, ends = f"vector(time() - {int(window.length.total_seconds())})", "vector(time())"
    yield NOW, "vector(time())"
    yield BEFORE, f"vector(time() - {_ROLLING_SECONDS})"
    yield START, began
    yield END, ends


def _wall(moments: str, time_zone: str) -> str:
    """What the clock on the wall shows at the moments, as if it were UTC."""
    offset, changes = _offsets(time_zone)
    terms = (f"{by} * ({moments} >= bool {at})" for at, by in changes)
    return "\n+ ".join([f"{moments} + {offset}", *terms])


def _weight(own: str, pace: Pace) -> str:
    """Weighted time up to the moments: of weeks and days, of months' ends, and without what clocks skip or repeat."""
    wall, real = f"{names.PACING_WALL}{{{own}}}", f"{names.PACING_AT}{{{own}}}"
    terms = [weeks(wall, pace)]
    if _has_month_ends(pace):
        terms.append(f"{number(pace.month_end - 1)} * (\n{month_ends.weight(own)}\n)")
    terms += [f"{number(-skipped)} * ({real} >= bool {at})" for at, skipped in _skipped(pace)]
    return "\n+ ".join(terms)


def _has_month_ends(pace: Pace) -> bool:
    return bool(pace.month_end_days) and pace.month_end != 1


def _skipped(pace: Pace) -> Iterator[tuple[int, Decimal]]:
    """When clocks are turned, and the weighted time on the wall that is skipped (negative: repeated) then."""
    offset, changes = _offsets(pace.time_zone)
    for at, by in changes:
        before = datetime.fromtimestamp(at + offset, UTC)
        offset += by
        after = datetime.fromtimestamp(at + offset, UTC)
        yield at, _on_wall(pace, before, after)


def _on_wall(pace: Pace, start: datetime, end: datetime) -> Decimal:
    if end < start:
        return -_on_wall(pace, end, start)
    total, at = Decimal(0), start
    while at < end:
        until = min(end, _midnight(at.date() + timedelta(days=1)))
        total += day_weight(pace, at.date()) * unix_difference(at, until)
        at = until
    return total


def unix_difference(start: datetime, end: datetime) -> int:
    """Whole seconds between two moments."""
    return unix(end) - unix(start)


@lru_cache(maxsize=64)
def _offsets(time_zone: str) -> tuple[int, Sequence[tuple[int, int]]]:
    """The offset from UTC when the tables begin, and its changes: when, and by how many seconds."""
    of = zone(time_zone)

    def offset(at: int) -> int:
        shift = datetime.fromtimestamp(at, UTC).astimezone(of).utcoffset()
        assert shift is not None
        return int(shift.total_seconds())

    first, last = unix(TABLE_START), unix(TABLE_END)
    changes = []
    for at in range(first, last, _DAY):
        low, high = at, at + _DAY
        by = offset(high) - offset(low)
        if by:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            changes.append((high, by))
    return offset(first), tuple(changes)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
