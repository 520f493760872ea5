"""Who hears of a page: asked for, confirmed, ended.

Nobody learns here whether an address is known: every request that is well-formed gets the same answer, and nobody but
the address itself is asked. It is asked at most every ten minutes.
"""

import hashlib
import hmac
import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from controlplane.model.event import JSON
from controlplane.model.status_record import Channel, Subscriber, SubscriberState
from controlplane.ports import Transaction
from synthetics.status_page.model import StatusPage
from synthetics.status_page.notices import confirmation
from synthetics.status_page.tokens import Keys, hashed

CONFIRM_WITHIN: Final = timedelta(days=2)
ASK_AGAIN: Final = timedelta(minutes=10)
MOST_PENDING: Final = 5_000  # of a page: beyond that nobody new is asked
_MAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?=[A-Za-z0-9.-]{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_LONGEST_URL: Final = 1000


class BadAddress(ValueError):
    """An address that nothing can be sent to, and why; in words for whoever typed it."""


def checked_address(channel: Channel, text: str, *, allows_http: bool = False) -> str:
    """The address as it is kept: the domain in lower case. Raises `BadAddress`."""
    address = text.strip()
    if channel is Channel.EMAIL:
        if not _MAIL.fullmatch(address) or ".." in address or address.startswith("."):
            raise BadAddress("This is not an e-mail address.")
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    if len(address) > _LONGEST_URL or not address.isascii() or not address.isprintable() or re.search(r"\s", address):
        raise BadAddress("This is not a web address.")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadAddress("This is not a web address.") from None
    if parts.scheme not in (("https", "http") if allows_http else ("https",)):
        raise BadAddress("A webhook's address begins with https://.")
    if not parts.hostname or parts.username is not None or parts.password is not None or port == 0 or parts.fragment:
        raise BadAddress("A webhook's address has a host, and neither a user nor a #.")
    return parts._replace(netloc=parts.netloc.lower()).geturl()


class Subscriptions:
    """What happens to subscriptions of pages. `nonce` gives new random text; `keys` make the links."""

    def __init__(
        self, keys: Keys, nonce: Callable[[], str], *, allows_http: bool = False, most_pending: int = MOST_PENDING
    ) -> None:
        self._keys = keys
        self._nonce = nonce
        self._allows_http = allows_http
        self._most_pending = most_pending

    def ask(
        self,
        page: StatusPage,
        transaction: Transaction,
        channel: Channel,
        text: str,
        now: datetime,
        *,
        language: str = "",
    ) -> bool:
        """Somebody wants to subscribe an address; whether it is asked now, which nobody outside may learn.

        Raises `BadAddress`, also for a way that the page does not have.
        """
        if (channel is Channel.WEBHOOK and not page.subscribers.webhook) or (
            channel is Channel.EMAIL and page.subscribers.email is None
        ):
            raise BadAddress("This page does not send that.")
        address = checked_address(channel, text, allows_http=self._allows_http)
        log = transaction.status
        log.hold()
        before = log.subscriber_at(page.name, channel, address)
        if before is not None and not _may_be_asked(before, now):
            return False
        if before is None and _pending(transaction, page) >= self._most_pending:
            return False
        asked = replace(self._pending(page, channel, address, before, now), language=language[:20])
        log.put_subscriber(asked)
        transaction.outbox.enqueue(confirmation(page, asked), now)
        return True

    def confirm(self, page: StatusPage, transaction: Transaction, id_: str, token: str, now: datetime) -> bool:
        """The link that only the address got was opened; whether it is good. Opened again, it stays good."""
        transaction.status.hold()
        found = transaction.status.subscriber(page.name, id_)
        if found is None or found.state is SubscriberState.ENDED:
            return False
        if not hmac.compare_digest(found.confirm_hash, hashed(token)):
            return False
        if found.state is SubscriberState.ACTIVE:
            return True
        if now > found.expires_at:
            return False
        transaction.status.put_subscriber(replace(found, state=SubscriberState.ACTIVE, confirmed_at=now))
        _note(transaction, page, found, "status.subscribed", now)
        return True

    def end(self, page: StatusPage, transaction: Transaction, id_: str, token: str, now: datetime) -> bool:
        """The link that ends it was opened; whether it is good. Opened again, it stays good."""
        if not self._keys.ends(token, page.name, id_):
            return False
        remove(page, transaction, id_, now)
        return True

    def _pending(
        self, page: StatusPage, channel: Channel, address: str, before: Subscriber | None, now: datetime
    ) -> Subscriber:
        id_ = before.id if before else hashlib.sha256(self._nonce().encode()).hexdigest()[:20]
        nonce = self._nonce()
        return Subscriber(
            page=page.name,
            id=id_,
            channel=channel,
            address=address,
            state=SubscriberState.PENDING,
            nonce=nonce,
            confirm_hash=hashed(self._keys.confirming(page.name, id_, nonce)),
            created_at=before.created_at if before else now,
            asked_at=now,
            expires_at=now + CONFIRM_WITHIN,
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """So many requests in so long, of one client and of all."""

    each: int = 5
    all: int = 300
    within: timedelta = timedelta(minutes=10)
    clients: int = 10_000


class RateLimit:
    """Remembers when clients asked, within bounds of time and memory."""

    def __init__(self, bounds: Bounds = Bounds()) -> None:
        self._bounds = bounds
        self._clients: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._all: deque[datetime] = deque()

    def takes(self, client: str, now: datetime) -> bool:
        """Whether one more request of the client is taken; it counts if so."""
        own = self._clients.setdefault(client, deque())
        self._clients.move_to_end(client)
        while len(self._clients) > self._bounds.clients:
            self._clients.popitem(last=False)
        for times in (own, self._all):
            while times and now - times[0] >= self._bounds.within:
                times.popleft()
        if len(own) >= self._bounds.each or len(self._all) >= self._bounds.all:
            return False
        own.append(now)
        self._all.append(now)
        return True


def remove(page: StatusPage, transaction: Transaction, id_: str, now: datetime, by: str = "") -> bool:
    """End a subscription without its link; whether there was anything to end."""
    transaction.status.hold()
    found = transaction.status.subscriber(page.name, id_)
    if found is None or found.state is SubscriberState.ENDED:
        return False
    transaction.status.put_subscriber(replace(found, state=SubscriberState.ENDED, ended_at=now))
    _note(transaction, page, found, "status.unsubscribed", now, by)
    return True


def _note(
    transaction: Transaction, page: StatusPage, who: Subscriber, action: str, now: datetime, by: str = ""
) -> None:
    """The audit log names the subscription, not the address."""
    subject = f"{page.name}/{who.id}"
    detail: dict[str, JSON] = {"channel": who.channel.value}
    transaction.audit.append(at=now, actor=by or "subscriber", action=action, subject=subject, detail=detail)


def _may_be_asked(known: Subscriber, now: datetime) -> bool:
    """Who is subscribed is not asked again; who was asked a moment ago neither."""
    return known.state is not SubscriberState.ACTIVE and now - known.asked_at >= ASK_AGAIN


def _pending(transaction: Transaction, page: StatusPage) -> int:
    return sum(each.state is SubscriberState.PENDING for each in transaction.status.subscribers(page.name))
