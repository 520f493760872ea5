"""Where calendar periods begin, as PromQL: tabled when the rules are compiled, so that they need no clock.

Tables reach from 2020 to the end of 2037, as far as time zones are tabled themselves (RFC 8536 files end there).
Before and after that, periods of months have their nominal length, and days the last known offset from UTC;
`SLOCalendarEnds` tells in time. Periods of days are counted, with a table of the changes of the offset alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import window_name
from controlplane.calendar.periods import boundary, days_of, index_at, is_of_days, local_boundary, unix
from controlplane.model.slo import CalendarWindow

TABLE_START: Final = datetime(2020, 1, 1, tzinfo=UTC)
TABLE_END: Final = datetime(2038, 1, 1, tzinfo=UTC)
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Table:
    """PromQL vectors of one sample, in Unix seconds: of the current period, and the end of the one after it.

    `wall` is what the others read (`CALENDAR_WALL`): what the clock on the wall showed when the period began, as if it
    were UTC; empty for periods of months. `longest` is the length of the longest period.
    """

    wall: str
    start: str
    end: str
    next_end: str
    longest: timedelta


@lru_cache(maxsize=256)
def table_of(window: CalendarWindow, of: str = "") -> Table:
    """The table of a window. `of` is as in `calendar_name`."""
    indices = range(index_at(window, TABLE_START), index_at(window, TABLE_END) + 1)
    if is_of_days(window):
        return _of_days(window, indices, of)
    return _of_months(window, indices)


def calendar_name(window: CalendarWindow, of: str = "") -> str:
    """What tells a calendar from others, as the label `calendar`; `of` from those that other rule files write."""
    name = f"{window_name(window)} {window.start} {window.time_zone}"
    return f"{of} {name}" if of else name


def matcher(window: CalendarWindow, of: str = "") -> str:
    """The matcher that selects the series of a calendar."""
    return f'{names.CALENDAR}="{calendar_name(window, of)}"'


def _of_months(window: CalendarWindow, indices: range) -> Table:
    nominal = int(window.length.total_seconds())
    known = [unix(boundary(window, index)) for index in indices]
    after = [known[-1] + nominal, known[-1] + 2 * nominal]
    longest = max(later - sooner for sooner, later in pairwise([*known, after[0]]))
    start, end, next_end = (f"vector(\n{_looked_up([*known, *after], shift, nominal)}\n)" for shift in range(3))
    return Table("", start, end, next_end, timedelta(seconds=longest))


def _looked_up(bounds: Sequence[int], shift: int, nominal: int) -> str:
    """The boundary `shift` periods after the current period's begin; the last two bounds are beyond the table."""
    known = bounds[:-2]
    first, last = known[0], known[-1]
    terms = [f"(time() < bool {first}) * (time() - time() % {nominal} + {shift * nominal - bounds[shift]})"]
    for place in range(1, len(known)):
        step = bounds[place + shift] - bounds[place + shift - 1] if place + shift < len(bounds) else nominal
        terms.append(f"{step} * (time() >= bool {known[place]})")
    terms.append(f"(time() >= bool {last}) * (time() - {last} - (time() - {last}) % {nominal})")
    return "\n".join([str(bounds[shift]), *(f"+ {term}" for term in terms)])


@dataclass(frozen=True, slots=True)
class _Change:
    """The offset from UTC changes by `by` seconds with the period that begins at `local`; known from `since` on."""

    by: int
    local: int
    since: int


def _of_days(window: CalendarWindow, indices: range, of: str) -> Table:
    length = days_of(window) * _DAY_SECONDS
    first = _wall_seconds(window, indices[0])
    offset = first - unix(boundary(window, indices[0]))
    changes = tuple(_changes(window, indices))
    grid = first % length  # not before 1970: PromQL's `%` rounds towards zero
    now = _sum(f"time() + {offset}", [f"{change.by} * (time() >= bool {change.since})" for change in changes])
    into = _sum(f"time() + {offset - grid}", [f"{change.by} * (time() >= bool {change.since})" for change in changes])
    wall = f"vector(\n{now}\n- (\n{into}\n) % {length}\n)"
    series = f"{names.CALENDAR_WALL}{{{matcher(window, of)}}}"
    start, end, next_end = (
        _from_wall(series, ahead=shift * length, offset=offset, changes=changes) for shift in range(3)
    )
    longest = length + max((-change.by for change in changes), default=0)
    return Table(wall, start, end, next_end, timedelta(seconds=max(length, longest)))


def _changes(window: CalendarWindow, indices: range) -> Iterator[_Change]:
    for index in indices[1:]:
        previous, at = unix(boundary(window, index - 1)), unix(boundary(window, index))
        wall = _wall_seconds(window, index)
        by = (wall - at) - (_wall_seconds(window, index - 1) - previous)
        if by:
            # Counted with the new offset from here on, the period before is still the one it was.
            yield _Change(by, wall, previous + max(0, -by))


def _from_wall(series: str, *, ahead: int, offset: int, changes: Sequence[_Change]) -> str:
    """The boundary `ahead` seconds on the wall after the current period's begin, as an instant."""
    terms = [f"{-change.by} * ({series} >= bool {change.local - ahead})" for change in changes]
    return _sum(f"{series} + {ahead - offset}", terms)


def _sum(first: str, terms: Sequence[str]) -> str:
    return "\n".join([first, *(f"+ {term}" for term in terms)])


def _wall_seconds(window: CalendarWindow, index: int) -> int:
    """What the clock on the wall shows, as if it were UTC."""
    return unix(local_boundary(window, index).replace(tzinfo=UTC))
