"""Subscribers by e-mail, over SMTP with TLS."""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from controlplane.model.outbox import OutboxMessage
from controlplane.model.status_record import Channel
from controlplane.ports import Permanent, Transient
from synthetics.status_page.addressees import Addressee, Directory
from synthetics.status_page.mail import Links, mail_of
from synthetics.status_page.notices import CHANNELS, CONFIRM
from synthetics.status_page.tokens import Keys

TIMEOUT_SECONDS: Final = 10.0
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PORTS: Final = {"smtp": 587, "smtps": 465}
_PASSES: Final = range(400, 500)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes our mail. `smtps` speaks TLS from the start; `smtp` must offer STARTTLS, but on loopback."""

    host: str
    port: int
    is_implicit: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether nobody can listen on the way."""
        return self.host in _LOOPBACK


def mail_server(url: str) -> MailServer:
    """`smtp[s]://[USER:PASSWORD@]HOST[:PORT]`. Raises ValueError, without the password, for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the mail server's URL is malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("the mail server's URL begins with smtp:// or smtps:// and names a host")
    return MailServer(
        parts.hostname,
        port or _PORTS[parts.scheme],
        parts.scheme == "smtps",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class EmailNotifier:
    """Delivers messages of the channel `status-email`."""

    def __init__(
        self,
        server: MailServer,
        directory: Directory,
        keys: Keys,
        *,
        now: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._server = server
        self._directory = directory
        self._keys = keys
        self._now = now
        self._tls = tls
        self._timeout = timeout_seconds

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
        if not self._send(mail, to.subscriber.address):
            log.info("status.mail_refused", extra={"page": to.page, "subscriber": to.id})
            self._directory.end(to.page, to.id)

    def _send(self, mail: EmailMessage, address: str) -> bool:
        """Whether there is such a mailbox."""
        try:
            with self._session() as smtp:
                smtp.send_message(mail, to_addrs=[address])
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=550)
            if code in _PASSES:
                raise Transient(f"the mail server put off the recipient ({code})") from None
            return False
        except smtplib.SMTPResponseException as error:
            _refused(error.smtp_code, "the message")
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"the mail server {self._server.host}: {type(error).__name__}") from error
        return True

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        tls = self._tls or ssl.create_default_context()
        if server.is_implicit:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            self._secure(smtp, tls)
            if server.user:
                smtp.login(server.user, server.password)
            yield smtp
        finally:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _secure(self, smtp: smtplib.SMTP, tls: ssl.SSLContext) -> None:
        if self._server.is_implicit:
            return
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=tls)
        elif not self._server.is_loopback:
            raise Transient(f"the mail server {self._server.host} offers no TLS: nothing is sent in the clear")


def _refused(code: int, what: str) -> None:
    """4xx may pass, 5xx about a message will not. Trouble with our login is ours to mend: it passes."""
    if code in _PASSES or code in (530, 534, 535, 538):
        raise Transient(f"the mail server put off {what} ({code})")
    raise Permanent(f"the mail server refused {what} ({code})")
