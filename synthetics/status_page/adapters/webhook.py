"""Subscribers by webhook: Statuspage's bodies, signed as Standard Webhooks are."""

import hmac
import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from controlplane.model.event import JSON
from controlplane.model.outbox import OutboxMessage
from controlplane.model.status_record import Channel
from controlplane.ports import Permanent, Transient
from controlplane.sending_ports import OutsideAnswer, OutsideHttp
from synthetics.status_page.addressees import Addressee, Directory
from synthetics.status_page.notices import CHANNELS, CONFIRM, stamp
from synthetics.status_page.tokens import Keys

_GONE: Final = (404, 410)
_OK: Final = range(200, 300)
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = range(500, 600)
REST: Final = timedelta(minutes=5)  # for a host that failed thrice: nobody else waits for it
_FAILURES: Final = 3
_MOST_HOSTS: Final = 10_000
_AGENT: Final = "Flyball-Status/1"
log = logging.getLogger(__name__)


class Resting:
    """Hosts that failed several times in a row are left alone for a while: one slow host must not hold up the rest."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failed: dict[str, tuple[int, float]] = {}

    def rests(self, host: str) -> bool:
        """Whether it is left alone now."""
        count, since = self._failed.get(host, (0, 0.0))
        return count >= _FAILURES and self._monotonic() - since < REST.total_seconds()

    def note(self, host: str, *, failed: bool) -> None:
        """How it went."""
        if not failed:
            self._failed.pop(host, None)
            return
        if len(self._failed) >= _MOST_HOSTS:
            self._failed.clear()
        self._failed[host] = (self._failed.get(host, (0, 0.0))[0] + 1, self._monotonic())


class WebhookNotifier:
    """Delivers messages of the channel `status-webhook`.

    The first of them asks: the address must answer with the challenge that it got, in its body, before it gets more.
    A question that is not answered is dropped: strangers must not be able to fill our dead letters.
    """

    def __init__(
        self,
        outside: OutsideHttp,
        directory: Directory,
        keys: Keys,
        *,
        now: Callable[[], datetime],
        resting: Resting | None = None,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._now = now
        self._outside = outside
        self._resting = resting or Resting()

    @property
    def channel(self) -> str:
        """`status-webhook`."""
        return CHANNELS[Channel.WEBHOOK]

    def notify(self, message: OutboxMessage) -> None:
        """POST it. Raises `Transient` and `Permanent`; nothing is sent to who ended it meanwhile."""
        to = Addressee(message, self._directory, self._keys)
        if to.subscriber is None:
            return
        if to.kind == CONFIRM:
            self._ask(message, to)
            return
        body = message.payload.get("body")
        if not isinstance(body, dict):
            raise Permanent(f"the message {message.id} has no body")
        meta: dict[str, JSON] = {"unsubscribe": to.link("unsubscribe"), "generated_at": stamp(self._now())}
        answer = self._post(message, to, {"meta": meta, **body})
        if answer.status in _GONE:
            self._directory.end(to.page, to.id)
            return
        _judge(answer)

    def _ask(self, message: OutboxMessage, to: Addressee) -> None:
        assert to.subscriber is not None
        token = self._keys.confirming(to.page, to.id, to.subscriber.nonce)
        body: dict[str, JSON] = {
            "type": "challenge",
            "challenge": token,
            "secret": self._keys.secret(to.page, to.id),
            "page": {"id": to.page, "name": message.payload.get("title"), "url": message.payload.get("url")},
            "meta": {"unsubscribe": to.link("unsubscribe"), "generated_at": stamp(self._now())},
        }
        try:
            answer = self._post(message, to, body)
        except (Transient, Permanent) as error:  # a stranger's server: who asks again is asked again
            log.info("status.webhook_not_confirmed", extra={"page": to.page, "reason": str(error)})
            return
        if answer.status in _OK and _echoes(answer.body, token):
            self._directory.confirm(to.page, to.id, token)
        else:
            log.info("status.webhook_not_confirmed", extra={"page": to.page, "reason": f"answered {answer.status}"})

    def _post(self, message: OutboxMessage, to: Addressee, content: dict[str, JSON]) -> OutsideAnswer:
        assert to.subscriber is not None
        url = to.subscriber.address
        host = (urlsplit(url).hostname or "").lower()
        if self._resting.rests(host):
            raise Transient("the webhook's host failed several times: it is left alone for a while")
        body = json.dumps(content, ensure_ascii=False).encode()
        timestamp = int(self._now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": self._keys.signature(to.page, to.id, message.id, timestamp, body),
        }
        try:
            answer = self._outside.post(url, body, headers)
        except Transient:
            self._resting.note(host, failed=True)
            raise
        self._resting.note(host, failed=answer.status in _SERVER_ERRORS)
        return answer


def _judge(answer: OutsideAnswer) -> None:
    """2xx is delivered. Redirects are not followed: where one leads was never confirmed."""
    if answer.status in _OK:
        return
    if answer.status in _SERVER_ERRORS or answer.status in (_TOO_MANY, 408, 425):
        raise Transient(f"the webhook answered {answer.status}")
    raise Permanent(f"the webhook answered {answer.status}")


def _echoes(body: bytes, token: str) -> bool:
    """Whether the challenge came back: as plain text, or as JSON `{"challenge": …}`."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return False
        text = str(found.get("challenge", "")) if isinstance(found, dict) else ""
    return hmac.compare_digest(text.encode(), token.encode())
