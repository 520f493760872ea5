"""How many calls a provider takes: counted by key over a sliding window, with a reserve for critical pages."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.ports import RateLimited
from alerts.routing.model import Channel, ChannelKind
from controlplane.model.incident import Priority
from controlplane.model.outbox import LEAST_URGENT

MOST_URGENT_ORDINARY: Final = next(each.rank for each in Priority if not each.is_critical)
LONGEST_HOLD: Final = timedelta(minutes=5)  # whatever a provider asks for: it is asked again then


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `calls` in any `per`; the last `reserve` of them are for critical pages."""

    calls: int
    per: timedelta = timedelta(minutes=1)
    reserve: int = 0


# https://developer.pagerduty.com/docs/events-api-v2-overview: about 120 a minute and key; we stay below, for what we
# count when it leaves is counted there when it arrives. https://docs.slack.dev/apis/web-api/rate-limits/: one message a
# second and channel, updates 50 a minute. The others have no published limits: these keep a storm from flooding them.
ALLOWANCES: Final[dict[ChannelKind, Allowance]] = {
    ChannelKind.PAGERDUTY: Allowance(110, reserve=30),
    ChannelKind.SLACK: Allowance(50, reserve=15),
    ChannelKind.EMAIL: Allowance(60, reserve=20),
    ChannelKind.WEBHOOK: Allowance(300, reserve=60),
    ChannelKind.CONSOLE: Allowance(60_000),
}


class NoRoom(RateLimited):
    """We have made as many calls as we allow ourselves; the provider was not asked."""


class Rate:
    """The calls of one key. Safe between threads."""

    def __init__(self, allowance: Allowance, now: Callable[[], datetime]) -> None:
        self._allowance = allowance
        self._now = now
        self._calls: deque[datetime] = deque()
        self._held_until: datetime | None = None
        self._made = 0
        self._lock = threading.Lock()

    @property
    def made(self) -> int:
        """How many calls were ever counted."""
        return self._made

    def take(self, urgency: int) -> None:
        """Count a call that is made now. Raises `NoRoom`, and counts nothing, when there is no room for it."""
        with self._lock:
            now = self._now()
            free_at = self._free_at(urgency, now)
            if free_at > now:
                raise NoRoom("no more calls are left for now", free_at)
            self._calls.append(now)
            self._made += 1

    def least_urgent(self) -> int | None:
        """How urgent a message must be to leave now, as an urgency; None: whatever it is, it waits."""
        with self._lock:
            now = self._now()
            if self._free_at(LEAST_URGENT, now) <= now:
                return LEAST_URGENT
            return MOST_URGENT_ORDINARY - 1 if self._free_at(0, now) <= now else None

    def hold(self, until: datetime) -> datetime:
        """The provider asked for a pause until then; until when it is kept, which is not for ever."""
        with self._lock:
            kept = min(until, self._now() + LONGEST_HOLD)
            self._held_until = max(kept, self._held_until or kept)
            return self._held_until

    def _free_at(self, urgency: int, now: datetime) -> datetime:
        """When a call may be made: `now`, or later."""
        start = now - self._allowance.per
        while self._calls and (self._calls[0] <= start or self._calls[0] > now):  # later than now: the clock was set
            self._calls.popleft()
        if self._held_until is not None and self._held_until > now:
            return self._held_until
        reserved = self._allowance.reserve if urgency >= MOST_URGENT_ORDINARY else 0
        over = len(self._calls) - (self._allowance.calls - reserved)
        if over < 0:
            return now
        return self._calls[over] + self._allowance.per if over < len(self._calls) else now + self._allowance.per


class Rates:
    """One `Rate` per key, however many channels share it."""

    def __init__(self, now: Callable[[], datetime], allowances: Mapping[ChannelKind, Allowance] = ALLOWANCES) -> None:
        self._now = now
        self._allowances = allowances
        self._rates: dict[str, Rate] = {}
        self._lock = threading.Lock()

    def of(self, channel: Channel) -> Rate:
        """The rate of the channel's key."""
        with self._lock:
            key = key_of(channel)
            if key not in self._rates:
                self._rates[key] = Rate(self._allowances[channel.kind], self._now)
            return self._rates[key]


def key_of(channel: Channel) -> str:
    """What a provider counts by: PagerDuty by routing key, Slack by channel, the others by what we call them."""
    if channel.kind is ChannelKind.PAGERDUTY:
        return f"pagerduty {channel.settings.get('url', '')} {channel.settings.get('routingKeyFrom', channel.name)}"
    return channel.name
