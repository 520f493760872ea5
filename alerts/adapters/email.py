"""Incidents by e-mail: to each recipient once for each state, whatever becomes of the others."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from alerts.delivery.rates import Rate
from alerts.delivery.showing import Showing, Shown
from alerts.messages.mail import digest_of, mail_of, thread_of
from alerts.model import Snapshot
from controlplane.model.event import JSON
from controlplane.model.incident import OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent
from controlplane.sending_ports import MailServer, RecipientsRefused

MOST_RECIPIENTS: Final = 50
_DIGEST, _TOLD, _UNKNOWN = "digest", "told", "unknown"
log = logging.getLogger(__name__)


class EmailNotifier:
    """Delivers messages of one lane `email:…` to all of its recipients, each in a session of its own.

    So one address that is wrong, or put off, keeps the mail from nobody else, and nobody gets it twice because of it.
    """

    def __init__(
        self,
        channel: str,
        recipients: Sequence[str],
        server: MailServer,
        showing: Showing,
        rate: Rate,
        *,
        sender: str,
        now: Callable[[], datetime],
    ) -> None:
        self._channel = channel
        self._recipients = tuple(dict.fromkeys(recipients))[:MOST_RECIPIENTS]
        self._server = server
        self._showing = showing
        self._rate = rate
        self._sender = sender
        self._now = now

    @property
    def channel(self) -> str:
        """The lane."""
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        """Tell who was not told of this state yet. Raises `Transient`, `RateLimited` and `Permanent`."""
        self._showing.deliver(message, self._channel, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """The same without the store."""
        digest = digest_of(snapshot)
        is_same = outside is not None and outside.data.get(_DIGEST) == digest
        told = _texts(outside.data.get(_TOLD)) if outside and is_same else []
        unknown = _texts(outside.data.get(_UNKNOWN)) if outside and is_same else []
        try:
            mail = mail_of(snapshot, sender=self._sender, recipients=self._recipients, now=self._now())
        except ValueError as error:
            raise Permanent(f"no mail can be made for {self._channel}: {error}") from None
        for address in self._recipients:
            if address in told or address in unknown:
                continue
            self._rate.take(snapshot.incident.priority.rank)
            try:
                self._server.send(mail, [address])
                told.append(address)
            except RecipientsRefused as error:  # the others get theirs
                log.warning("email.no_such_mailbox", extra={"channel": self._channel, "reason": str(error)})
                unknown.append(address)
            yield self._shown(snapshot, digest, told, unknown, is_whole=False)
        if not told:
            raise Permanent(f"the mail server knows none of the recipients of {self._channel}")
        yield self._shown(snapshot, digest, told, unknown, is_whole=True)

    def _shown(
        self, snapshot: Snapshot, digest: str, told: Sequence[str], unknown: Sequence[str], *, is_whole: bool
    ) -> Shown:
        data: dict[str, JSON] = {_DIGEST: digest, _TOLD: list(told), _UNKNOWN: list(unknown)}
        is_closed = is_whole and not snapshot.incident.is_open
        thread = thread_of(snapshot.incident, self._sender)
        return Shown(thread, is_closed=is_closed, is_whole=is_whole, data=data)


def _texts(value: JSON) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
