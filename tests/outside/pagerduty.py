"""PagerDuty's Events API v2, as far as we use it: it refuses what the real one refuses and keeps incidents.

Limits: https://developer.pagerduty.com/docs/events-api-v2-overview and `…/trigger-events`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.outside.failing import Answered, Asked, CertificateHolder, FailingServer

ROUTING_KEY: Final = "0123456789abcdef0123456789abcdef"
CALLS_A_MINUTE: Final = 120
_MOST_BYTES: Final = 512 * 1024
_SEVERITIES: Final = ("critical", "error", "warning", "info")
_EVENT_KEYS: Final = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
_PAYLOAD_KEYS: Final = {
    "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
}  # fmt: skip


@dataclass
class Page:
    """An incident there. `events` are all that were accepted for it, in order."""

    key: str
    status: str = "triggered"
    summary: str = ""
    severity: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)


class PagerDutyServer(FailingServer):
    """`pages` holds every incident that was opened, in order; two of one dedup key mean that it was resolved between.

    With `calls_a_minute`, who calls more often gets 429; `now` is the time by which that is counted.
    """

    def __init__(
        self,
        *,
        keys: tuple[str, ...] = (ROUTING_KEY,),
        calls_a_minute: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls: CertificateHolder | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self.keys = keys
        self.pages: list[Page] = []
        self.stray: list[str] = []  # dedup keys of acknowledgements and resolves of nothing
        self.calls: list[tuple[str, datetime]] = []  # routing keys of all calls that were counted, and when they came
        self.refused: list[str] = []  # why events were refused
        self._calls_a_minute = calls_a_minute
        self._now = now

    def page(self, key: str) -> Page | None:
        """The latest incident of a dedup key."""
        return next((page for page in reversed(self.pages) if page.key == key), None)

    def of_key(self, key: str) -> list[Page]:
        """All incidents of a dedup key."""
        return [page for page in self.pages if page.key == key]

    def open(self) -> list[Page]:
        """Those that are not resolved."""
        return [page for page in self.pages if page.status != "resolved"]

    def most_calls_in_a_minute(self, routing_key: str = ROUTING_KEY) -> int:
        """The most calls of a key in any 60 seconds."""
        times = sorted(at for key, at in self.calls if key == routing_key)
        minute = timedelta(minutes=1)
        return max((sum(at <= other < at + minute for other in times) for at in times), default=0)

    def answer(self, asked: Asked) -> Answered:
        """What `POST /v2/enqueue` answers."""
        if (asked.method, asked.path) != ("POST", "/v2/enqueue"):
            return Answered(404, {"error": f"{asked.method} {asked.path}"})
        if len(asked.body) > _MOST_BYTES:
            return self._invalid("the event is larger than 512 KB", 413)
        try:
            event = asked.json()
        except ValueError:
            return self._invalid("it is no JSON")
        if problems := list(_problems(event)):
            return self._invalid("; ".join(problems))
        if event["routing_key"] not in self.keys:
            return self._invalid("invalid routing key")
        if self._is_too_often(event["routing_key"]):
            return Answered(429, {}, {"Retry-After": str(self.retry_after)})
        key = event.get("dedup_key") or f"made-{len(self.pages)}"
        self._take(key, event)
        return Answered(202, {"status": "success", "message": "Event processed", "dedup_key": key})

    def _take(self, key: str, event: dict[str, Any]) -> None:
        page, action = self.page(key), event["event_action"]
        if page is None or page.status == "resolved":
            if action != "trigger":
                self.stray.append(key)
                return
            page = Page(key)
            self.pages.append(page)
        page.events.append(event)
        if action == "trigger":
            page.summary, page.severity = event["payload"]["summary"], event["payload"]["severity"]
        else:
            page.status = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]

    def _is_too_often(self, routing_key: str) -> bool:
        now = self._now()
        if self._calls_a_minute is not None:
            recent = [at for key, at in self.calls if key == routing_key and at > now - timedelta(minutes=1)]
            if len(recent) >= self._calls_a_minute:
                return True
        self.calls.append((routing_key, now))
        return False

    def _invalid(self, problem: str, status: int = 400) -> Answered:
        self.refused.append(problem)
        return Answered(status, {"status": "invalid event", "message": "Event object is invalid", "errors": [problem]})


def _problems(event: Any) -> Iterator[str]:
    if not isinstance(event, dict):
        yield "it is no object"
        return
    if extra := set(event) - _EVENT_KEYS:
        yield f"unknown fields: {sorted(extra)}"
    if not isinstance(event.get("routing_key"), str) or len(event["routing_key"]) != 32:
        yield "Length of 'routing_key' is incorrect (should be 32 characters)"
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    key = event.get("dedup_key")
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= 255):
        yield "'dedup_key' is invalid (must be 1 to 255 characters)"
    if action != "trigger" and key is None:
        yield "'dedup_key' is missing or blank"
    if action == "trigger":
        yield from _payload_problems(event.get("payload"))
        yield from _link_problems(event.get("links", []))


def _payload_problems(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or blank"
        return
    if extra := set(payload) - _PAYLOAD_KEYS:
        yield f"unknown fields of payload: {sorted(extra)}"
    for name in ("summary", "source"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"'payload.{name}' is missing or blank"
    if len(str(payload.get("summary", ""))) > 1024:
        yield "'payload.summary' is too long (must be at most 1024 characters)"
    if payload.get("severity") not in _SEVERITIES:
        yield "'payload.severity' is invalid"
    if "timestamp" in payload and datetime.fromisoformat(payload["timestamp"]).tzinfo is None:
        yield "'payload.timestamp' has no zone"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' must be an object"


def _link_problems(links: Any) -> Iterator[str]:
    for link in links if isinstance(links, list) else [None]:
        if not isinstance(link, dict) or not str(link.get("href", "")).startswith(("http://", "https://")):
            yield "'links' must be objects with 'href'"
