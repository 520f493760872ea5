"""Incidents to anybody who takes signed webhooks (Standard Webhooks); docs/reference/incident-webhooks.md."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from alerts.delivery.rates import Rate
from alerts.delivery.showing import Showing, Shown
from alerts.messages.hook_body import encoded
from alerts.model import Snapshot
from alerts.ports import RateLimited
from controlplane.model.incident import OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient
from controlplane.sending_ports import OutsideAnswer, OutsideHttp
from controlplane.webhook_signatures import secret_bytes, signed_headers

_OK: Final = range(200, 300)
_SERVER_ERRORS: Final = range(500, 600)
_TOO_MANY: Final = 429
_MAY_PASS: Final = (408, 425, 429)
_PAUSE: Final = timedelta(seconds=15)  # after a 429 that does not say how long
_AGENT: Final = "Flyball-Alerts/1"


class WebhookNotifier:
    """Delivers messages of one lane `webhook:…` to one URL. `secret` reads the secret anew for each delivery.

    The id of a delivery is the same however often it is tried: lane, incident and version.
    """

    def __init__(
        self,
        channel: str,
        url: str,
        secret: Callable[[], str | None],
        outside: OutsideHttp,
        showing: Showing,
        rate: Rate,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._channel = channel
        self._url = url
        self._secret = secret
        self._outside = outside
        self._showing = showing
        self._rate = rate
        self._now = now

    @property
    def channel(self) -> str:
        """The lane."""
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        """POST how it stands. Raises `Transient`, `RateLimited` and `Permanent`."""
        self._showing.deliver(message, self._channel, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """The same without the store."""
        del outside  # each delivery says all
        incident = snapshot.incident
        id_ = f"{self._channel}:{incident.id}:{incident.version}"
        body, secret = encoded(snapshot), self._key()
        self._rate.take(incident.priority.rank)
        headers = signed_headers([secret], id_, int(self._now().timestamp()), body)
        answer = self._outside.post(
            self._url, body, {"Content-Type": "application/json", "User-Agent": _AGENT, **headers}
        )
        self._judge(answer)
        yield Shown(incident.id, urlsplit(self._url).hostname or "", is_closed=not incident.is_open)

    def _key(self) -> bytes:
        text = self._secret()
        if not text:  # ours to mend: it waits, and takes another way when it is critical
            raise Transient(f"the secret of {self._channel} is not set")
        try:
            return secret_bytes(text)
        except ValueError as error:
            raise Transient(f"the secret of {self._channel}: {error}") from None

    def _judge(self, answer: OutsideAnswer) -> None:
        """2xx is delivered. Redirects are not followed."""
        if answer.status in _OK:
            return
        if answer.status == _TOO_MANY:
            until = self._rate.hold(self._now() + _asked_for(answer.headers.get("retry-after", "")))
            raise RateLimited("the webhook asks for a pause (429)", until)
        if answer.status in _SERVER_ERRORS or answer.status in _MAY_PASS:
            raise Transient(f"the webhook answered {answer.status}")
        raise Permanent(f"the webhook answered {answer.status}")


def _asked_for(header: str) -> timedelta:
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return max(timedelta(seconds=int(text)), timedelta(seconds=1))
    return _PAUSE
