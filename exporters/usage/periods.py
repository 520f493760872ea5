"""Billing periods: calendar months of UTC, half-open, by the name `2026-11`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.model.usage import PeriodState

GRACE: Final = timedelta(hours=72)  # how long late senders are waited for, unless told otherwise
_NAME: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def is_period(name: str) -> bool:
    """Whether it is a month as `2026-11`."""
    return _NAME.fullmatch(name) is not None


def period_of(at: datetime) -> str:
    """The month in which a moment lies."""
    return f"{at.astimezone(UTC):%Y-%m}"


def bounds(name: str) -> tuple[datetime, datetime]:
    """Its first moment, and the first one after it."""
    year, month = int(name[:4]), int(name[5:])
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def following(name: str) -> str:
    """The month after it."""
    return period_of(bounds(name)[1])


def previous(name: str) -> str:
    """The month before it."""
    return period_of(bounds(name)[0] - timedelta(days=1))


def due_state(name: str, now: datetime, grace: timedelta) -> PeriodState:
    """How far a month should be by now."""
    end = bounds(name)[1]
    if now < end:
        return PeriodState.OPEN
    return PeriodState.GRACE if now < end + grace else PeriodState.CLOSED
