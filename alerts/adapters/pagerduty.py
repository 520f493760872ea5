"""Pages through PagerDuty's Events API v2."""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from httpx2 import HTTPError, Request, Response
from pagerduty import Error, EventsApiV2Client

from alerts.adapters.in_time import InTime
from alerts.delivery.rates import Rate
from alerts.delivery.showing import Showing, Shown
from alerts.model import Snapshot
from alerts.pagerduty.event import AFTER, Action, Standing, actions_for, dedup_key, page_digest, trigger
from alerts.ports import RateLimited
from controlplane.model.incident import OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient

DEFAULT_URL: Final = "https://events.pagerduty.com"
DEADLINE_SECONDS: Final = 8.0  # of one call, all of it
PAUSE: Final = timedelta(seconds=15)  # after a 429 that does not say how long
STEP_SECONDS: Final = 4.0  # to connect, and between any two parts of an answer
_MOST_SAID: Final = 300  # characters of what PagerDuty says about an event that it refuses
_TOO_MANY: Final = 429
_MAY_PASS: Final = (408, 425)
_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
_SENDING: Final = ".send_request_headers.started"  # of httpcore's trace
_STANDING: Final = "standing"
_PAGE: Final = "page"
_SILENT: Final = logging.Logger("pagerduty", logging.CRITICAL + 1)


class PagerDutyNotifier:
    """Delivers messages of one lane `pagerduty:…`: one PagerDuty incident per incident of ours, by its dedup key.

    `routing_key` reads the key anew for each delivery, so that a rotated one is used at once. `rate` counts the calls.
    """

    def __init__(
        self,
        channel: str,
        routing_key: Callable[[], str | None],
        showing: Showing,
        rate: Rate,
        *,
        now: Callable[[], datetime],
        url: str = DEFAULT_URL,
        tls: ssl.SSLContext | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        self._channel = channel
        self._routing_key = routing_key
        self._showing = showing
        self._rate = rate
        self._now = now
        self._url = url.rstrip("/")
        self._tls = tls
        self._in_time = InTime("PagerDuty", deadline_seconds)
        self._punctual = _Punctual(deadline_seconds)
        self._step_seconds = step_seconds
        self._client: tuple[str, EventsApiV2Client] | None = None

    @property
    def channel(self) -> str:
        """The lane."""
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        """Bring PagerDuty to where the incident is now. Raises `Transient`, `RateLimited` and `Permanent`."""
        self._showing.deliver(message, self._channel, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """The same without the store. Each step is accepted there before the next one leaves."""
        incident = snapshot.incident
        key, digest = outside.outside_id if outside else dedup_key(incident, self._channel), page_digest(snapshot)
        standing = Standing(str(outside.data.get(_STANDING, ""))) if outside else Standing.UNKNOWN
        told = str(outside.data.get(_PAGE, "")) if outside else ""
        actions = actions_for(incident.state, standing, is_changed=told != digest)
        for place, action in enumerate(actions, 1):
            self._send(action, key, snapshot)
            standing, told = AFTER[action], digest if action is Action.TRIGGER else told
            yield self._shown(key, standing, told, is_whole=place == len(actions))
        if not actions:
            yield self._shown(key, standing, told, is_whole=True)

    def _shown(self, key: str, standing: Standing, page: str, *, is_whole: bool) -> Shown:
        is_closed = standing is Standing.RESOLVED
        return Shown(key, is_closed=is_closed, is_whole=is_whole, data={_STANDING: standing.value, _PAGE: page})

    def _send(self, action: Action, key: str, snapshot: Snapshot) -> None:
        client = self._connected()
        event = trigger(snapshot) if action is Action.TRIGGER else {}
        self._rate.take(snapshot.incident.priority.rank)
        try:
            self._in_time.call(self._punctual.doing(lambda: client.send_event(action.value, dedup_key=key, **event)))
        except Error as error:
            if error.response is None:
                raise Transient(f"PagerDuty cannot be reached: {_cause(error)}") from None
            self._refused(error.response)
        except (HTTPError, ValueError) as error:  # what the client lets through, such as a body that cannot be decoded
            raise Transient(f"PagerDuty's answer is not what it should be: {type(error).__name__}") from None

    def _connected(self) -> EventsApiV2Client:
        key = self._routing_key()
        if not key:  # it is ours to mend: the page waits, and takes another way when it is critical
            raise Transient(f"the routing key of {self._channel} is not set")
        if self._client is None or self._client[0] != key:
            self._client = key, _client(key, self._url, self._tls, self._punctual, self._step_seconds)
        return self._client[1]

    def _refused(self, response: Response) -> None:
        status = response.status_code
        if status < 300:
            raise Transient(f"PagerDuty's answer is not what it should be ({status})") from None
        if status == _TOO_MANY:
            until = self._rate.hold(retry_at(response.headers.get("Retry-After", ""), self._now()))
            raise RateLimited("PagerDuty asks for a pause (429)", until) from None
        if status in _MAY_PASS or not 400 <= status < 500:
            raise Transient(f"PagerDuty answered {status}") from None
        raise Permanent(f"PagerDuty refused the event ({status}){_said(response)}") from None


def retry_at(header: str, now: datetime) -> datetime:
    """When a `Retry-After` header allows the next call; it is seconds or a date."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return now + timedelta(seconds=max(int(text), 1))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return now + PAUSE
    return max(at, now + timedelta(seconds=1)) if at.tzinfo else now + PAUSE


class _Punctual:
    """Lets no request out that is late: it would take effect after the ones that came later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._own = threading.local()

    def doing(self, work: Callable[[], object]) -> Callable[[], object]:
        """`work`, whose time runs from now on, in whatever thread it is done."""
        deadline = time.monotonic() + self._seconds

        def timed() -> object:
            self._own.deadline = deadline
            return work()

        return timed

    def watch(self, request: Request) -> None:
        """A hook of httpx, called before a connection is made."""
        deadline: float = self._own.deadline

        def stop_when_late(event: str, info: Mapping[str, object]) -> None:
            if event.endswith(_SENDING) and time.monotonic() >= deadline:
                raise Transient("PagerDuty was not reached in time")

        request.extensions["trace"] = stop_when_late


class _Client(EventsApiV2Client):
    """PagerDuty's own client, which also talks to a server on this machine that has no certificate."""

    @property
    def url(self) -> str:
        return str(self._url)

    @url.setter
    def url(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
            raise Permanent("PagerDuty is talked to over https only")
        self._url = base_url


def _client(
    key: str, url: str, tls: ssl.SSLContext | None, punctual: _Punctual, step_seconds: float
) -> EventsApiV2Client:
    """One that tries once: the outbox tries again."""
    client = _Client(key, base_url=url, verify=tls or True, event_hooks={"request": [punctual.watch]})
    client.timeout = step_seconds  # type: ignore[assignment]  # it takes what httpx takes
    client.max_network_attempts = 0
    client.max_http_attempts = -1  # the first answer is the answer
    client.retry = {_TOO_MANY: 1}  # else it waits and tries for ever
    client.log = _SILENT  # what fails is logged where it is handled
    return client


def _cause(error: Error) -> str:
    return type(error.__cause__).__name__ if error.__cause__ else "no answer"


def _said(response: Response) -> str:
    """What PagerDuty says is wrong, which it says in a list; it repeats none of our secrets."""
    try:
        body = response.json()
    except ValueError:
        return ""
    errors = body.get("errors") if isinstance(body, dict) else None
    text = "; ".join(str(each) for each in errors) if isinstance(errors, list) else ""
    return f": {text[:_MOST_SAID]}" if text else ""
