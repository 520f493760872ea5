"""When the service was reduced on purpose: the ladder's changes of tier, as intervals."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.conventions import EVENT_TIER_CHANGED
from controlplane.model.event import RecordedEvent

Interval = tuple[datetime, datetime]
LOOK_BACK: Final = timedelta(days=92)  # a downshift that began before the month is known from its last change
_NORMAL: Final = 0  # the tier at which nothing is reduced


def downshifts(changes: Sequence[RecordedEvent], start: datetime, end: datetime) -> tuple[Interval, ...]:
    """The intervals within [start, end) in which a tier above 0 held, in order, apart, half-open.

    `changes` are `finops.tier_changed` events in order of occurrence, from before `start` on; their data has `to`, the
    tier from then on (a number, or text that is one). What says no tier is passed over.
    """
    found: list[Interval] = []
    since: datetime | None = None
    for recorded in changes:
        event = recorded.event
        tier = _tier(event.data.get("to"))
        if event.kind != EVENT_TIER_CHANGED or tier is None or event.occurred_at >= end:
            continue
        if tier > _NORMAL and since is None:
            since = event.occurred_at
        elif tier == _NORMAL and since is not None:
            found.append((since, event.occurred_at))
            since = None
    if since is not None:
        found.append((since, end))
    clipped = ((max(start, first), min(end, last)) for first, last in found)
    return tuple((first, last) for first, last in clipped if first < last)


def minutes(intervals: Sequence[Interval]) -> int:
    """How long they are together, in whole minutes, rounded up."""
    total = sum((last - first for first, last in intervals), timedelta())
    return -(-total // timedelta(minutes=1))


def _tier(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3 else None
