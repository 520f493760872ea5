"""When the public hears from us next. Pure.

From its start on (T) an incident has marks: in the first hour every `update_every` (T+15, 30, 45, 60 minutes), then
every hour. A published update promises the next mark that is at least half an interval away. A draft for a mark lies
ready a third of an interval before it, so that people have time to approve; where nobody need, it goes out on time.
"""

from datetime import datetime, timedelta
from typing import Final

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
PUNCTUAL: Final = timedelta(seconds=30)  # before the mark: an automatic update is not late by a turn of the daemon


def mark_after(began: datetime, at: datetime, every: timedelta) -> datetime:
    """The first mark later than `at`."""
    passed = at - began
    if passed < timedelta(0):
        return began + every
    within_hour = began + (passed // every + 1) * every
    if within_hour - began <= _HOUR:
        return within_hour
    return began + max(passed // _HOUR + 1, 1 if passed < _HOUR else 2) * _HOUR


def promise(began: datetime, published: datetime, every: timedelta) -> datetime:
    """By when the next update is promised by one that is published now."""
    return mark_after(began, published + every / 2, every)


def due_mark(began: datetime, now: datetime, every: timedelta, lead: timedelta) -> datetime | None:
    """The latest mark whose draft should be there now; None before the first."""
    latest = None
    at = mark_after(began, began, every)
    while at - lead <= now:
        latest = at
        if now - at > 2 * _HOUR:  # marks are an hour apart by then: skip to the last of them
            at = began + (now - began) // _HOUR * _HOUR
            latest = max(latest, at)
        at = mark_after(began, at, every)
    return latest


def lead(every: timedelta, *, needs_approval: bool) -> timedelta:
    """How long before its mark a draft is there."""
    return every / 3 if needs_approval else PUNCTUAL


def name_of(began: datetime, mark: datetime) -> str:
    """`t+15`."""
    return f"t+{(mark - began) // _MINUTE}"


def overdue(next_update_by: datetime | None, now: datetime) -> timedelta:
    """How long the public waits for what was promised; 0 while in time."""
    if next_update_by is None:
        return timedelta(0)
    return max(now - next_update_by, timedelta(0))
