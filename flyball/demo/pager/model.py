"""What reached people, as the demo's pager keeps it."""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

_MOST: Final = 500  # of each kind; older ones are forgotten


@dataclass(frozen=True, slots=True)
class Page:
    """A PagerDuty incident: one per dedup key until it is resolved."""

    dedup_key: str
    routing_key: str
    summary: str
    severity: str
    status: str  # triggered | acknowledged | resolved
    at: datetime
    links: tuple[tuple[str, str], ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message; `thread` is the `ts` of the one that it answers."""

    channel: str
    ts: str
    text: str
    at: datetime
    blocks: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] | None = None
    thread: str = ""
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the mailbox."""

    to: tuple[str, ...]
    subject: str
    text: str
    at: datetime


class Pager:
    """Everything that arrived. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, Page] = {}
        self._messages: dict[tuple[str, str], Message] = {}
        self._mails: list[Mail] = []
        self._last_ts = 0

    def pages(self) -> list[Page]:
        """Newest first."""
        with self._lock:
            return sorted(self._pages.values(), key=lambda page: page.at, reverse=True)

    def messages(self, channel: str = "") -> list[Message]:
        """Oldest first; of one channel where it is named."""
        with self._lock:
            found = [each for each in self._messages.values() if channel in ("", each.channel)]
        return sorted(found, key=lambda message: message.ts)

    def mails(self) -> list[Mail]:
        """Newest first."""
        with self._lock:
            return self._mails[::-1]

    def trigger(self, page: Page) -> None:
        """Open it, or change the open one of its key."""
        with self._lock:
            before = self._pages.get(page.dedup_key)
            if before is not None and before.status != "resolved":
                page = replace(page, at=before.at, status=before.status)
            self._pages[page.dedup_key] = page
            while len(self._pages) > _MOST:
                del self._pages[next(iter(self._pages))]

    def move(self, dedup_key: str, status: str) -> Page | None:
        """Acknowledge or resolve it; None when there is none that is open."""
        with self._lock:
            page = self._pages.get(dedup_key)
            if page is None or page.status == "resolved":
                return None
            self._pages[dedup_key] = moved = replace(page, status=status)
            return moved

    def post(self, message: Message) -> Message:
        """Keep it, with a `ts` that nobody else has."""
        with self._lock:
            self._last_ts = max(self._last_ts + 1, int(message.at.timestamp() * 1_000_000))
            seconds, micros = divmod(self._last_ts, 1_000_000)
            kept = replace(message, ts=f"{seconds}.{micros:06}")
            self._messages[kept.channel, kept.ts] = kept
            while len(self._messages) > _MOST:
                del self._messages[next(iter(self._messages))]
            return kept

    def edit(self, message: Message) -> bool:
        """Show it as it is now; False when it is not there."""
        with self._lock:
            before = self._messages.get((message.channel, message.ts))
            if before is None:
                return False
            kept = replace(message, at=before.at, thread=before.thread, edits=before.edits + 1)
            self._messages[message.channel, message.ts] = kept
            return True

    def delete(self, channel: str, ts: str) -> bool:
        """Take it away; False when it was not there."""
        with self._lock:
            return self._messages.pop((channel, ts), None) is not None

    def receive(self, mail: Mail) -> None:
        """Put it into the mailbox."""
        with self._lock:
            self._mails = [*self._mails, mail][-_MOST:]
