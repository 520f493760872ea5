"""Steps counted since the epoch."""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(index: int, step: timedelta) -> datetime:
    """When step `index` is, in UTC."""
    return EPOCH + index * step


def index_at(at: datetime, step: timedelta) -> int:
    """The step that holds a moment."""
    return (at - EPOCH) // step


def index_from(at: datetime, step: timedelta) -> int:
    """The first step at or after a moment."""
    return -((EPOCH - at) // step)
