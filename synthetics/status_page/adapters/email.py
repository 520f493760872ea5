"""Subscribers by e-mail."""

import logging
from collections.abc import Callable
from datetime import datetime

from controlplane.model.outbox import OutboxMessage
from controlplane.model.status_record import Channel
from controlplane.ports import Permanent
from controlplane.sending_ports import MailServer, RecipientsRefused
from synthetics.status_page.addressees import Addressee, Directory
from synthetics.status_page.mail import Links, mail_of
from synthetics.status_page.notices import CHANNELS, CONFIRM
from synthetics.status_page.tokens import Keys

log = logging.getLogger(__name__)


class EmailNotifier:
    """Delivers messages of the channel `status-email`."""

    def __init__(self, server: MailServer, directory: Directory, keys: Keys, *, now: Callable[[], datetime]) -> None:
        self._server = server
        self._directory = directory
        self._keys = keys
        self._now = now

    @property
    def channel(self) -> str:
        """`status-email`."""
        return CHANNELS[Channel.EMAIL]

    def notify(self, message: OutboxMessage) -> None:
        """Hand it to the mail server. Raises `Transient` and `Permanent`; nothing is sent to who ended it meanwhile.

        A mailbox that does not exist is told nothing more.
        """
        to = Addressee(message, self._directory, self._keys)
        if to.subscriber is None:
            return
        links = Links(to.link("unsubscribe"), to.link("confirm") if to.kind == CONFIRM else "")
        try:
            mail = mail_of(message.id, message.payload, to.subscriber.address, links, self._now())
        except (ValueError, KeyError) as error:
            raise Permanent(f"no mail can be made of {message.id}: {error}") from None
        try:
            self._server.send(mail, [to.subscriber.address])
        except RecipientsRefused:
            log.info("status.mail_refused", extra={"page": to.page, "subscriber": to.id})
            self._directory.end(to.page, to.id)
