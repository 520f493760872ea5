"""Event histories for tests, made of counts per minute."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from slo.replay.history import EventHistory, Span, minute_of
from slo.replay.sliding import ROLLING_MINUTES, last

START = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = minute_of(START)


def span_of_days(days: float, before: float = 0) -> Span:
    """`days` that are judged, with some before them."""
    since = FIRST + round(before * 1440)
    return Span(FIRST, since, since + round(days * 1440) + 1)


def rolling(per_minute: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rolling series of events per minute; minute 0 is not known to have had any."""
    return last(per_minute, ROLLING_MINUTES)


def history(span: Span, every: NDArray[np.float64], bad: NDArray[np.float64]) -> EventHistory:
    """Every minute known, from events per minute."""
    return EventHistory.from_minutes(span, rolling(every), rolling(bad))


def steady(span: Span, every: float = 100, bad: float = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same in every minute."""
    return np.full(span.minutes, every, dtype=np.float64), np.full(span.minutes, bad, dtype=np.float64)


def minutes(length: timedelta) -> int:
    """Whole minutes."""
    return length // timedelta(minutes=1)
