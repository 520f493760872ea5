"""What the store's tests write, and how they wait."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.event import Event
from controlplane.model.outbox import LEAST_URGENT, OutboxMessage

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

T = TypeVar("T")


def until(condition: Callable[[], T | None], patience_seconds: float = 30) -> T:
    """What `condition` answers once it answers something; fails when it never does."""
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.01)
    raise AssertionError("it never came true")


def firing(fingerprint: str = "f1", starts_at: datetime = NOW, summary: str = "it burns") -> Alert:
    return Alert(fingerprint, starts_at, AlertStatus.FIRING, {"slo": "reads"}, {"summary": summary}, None, "http://p/g")


def resolved(fingerprint: str = "f1", starts_at: datetime = NOW, summary: str = "it burnt") -> Alert:
    ends_at = starts_at + MINUTE
    return Alert(fingerprint, starts_at, AlertStatus.RESOLVED, {"slo": "reads"}, {"summary": summary}, ends_at)


def event(name: str, kind: str = "alert.fired", occurred_at: datetime = NOW) -> Event:
    return Event(name, kind, "reads", occurred_at, {"severity": "page", "spent": "0.02", "count": 3, "none": None})


def message(name: str, key: str = "k", channel: str = "console", urgency: int = LEAST_URGENT) -> OutboxMessage:
    return OutboxMessage(name, channel, key, {"title": "Ünïcode ✓", "lines": ["a", "b"]}, urgency)
