"""Mail over SMTP with TLS."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from controlplane.ports import Permanent, Transient
from controlplane.sending_ports import RecipientsRefused

TIMEOUT_SECONDS: Final = 10.0  # of one step
DEADLINE_SECONDS: Final = 15.0  # of one mail, all of it: a server that drips is cut off
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_PORTS: Final = {"smtp": 587, "smtps": 465}
_PASSES: Final = range(400, 500)
_REFUSED: Final = range(500, 600)
_OUR_LOGIN: Final = (530, 534, 535, 538)  # ours to mend: it passes
_NO_MAILBOX: Final = 550


@dataclass(frozen=True, slots=True)
class MailAccount:
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


def mail_account(url: str) -> MailAccount:
    """`smtp[s]://[USER:PASSWORD@]HOST[:PORT]`. Raises ValueError, without the password, for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the mail server's URL is malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("the mail server's URL begins with smtp:// or smtps:// and names a host")
    return MailAccount(
        parts.hostname,
        port or _PORTS[parts.scheme],
        parts.scheme == "smtps",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class Smtp:
    """Implements `MailServer`; each mail in a session of its own, so threads may share it."""

    def __init__(
        self,
        account: MailAccount,
        *,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._account = account
        self._tls = tls
        self._timeout = min(timeout_seconds, deadline_seconds)
        self._deadline = deadline_seconds

    def send(self, mail: EmailMessage, recipients: Sequence[str]) -> None:
        """As the port says. A server that takes it for some only is asked again for the others: `Transient`."""
        host = self._account.host
        with _Cut(self._deadline) as cut:
            try:
                with self._session(cut) as smtp:
                    refused = smtp.send_message(mail, to_addrs=list(recipients))
            except smtplib.SMTPRecipientsRefused as error:
                raise _none_taken({to: code for to, (code, _) in error.recipients.items()}) from None
            except (smtplib.SMTPException, OSError, ValueError) as error:
                if cut.is_cut:
                    raise Transient(f"the mail server {host}: it took too long") from None
                raise _not_taken(error, host) from None
        if refused:
            raise Transient(f"the mail server took the mail for some of {len(recipients)} recipients only")

    @contextmanager
    def _session(self, cut: "_Cut") -> Iterator[smtplib.SMTP]:
        account = self._account
        smtp: smtplib.SMTP
        if account.is_implicit:
            smtp = _SmtpOverTls(cut, account.host, account.port, timeout=self._timeout, context=self._trust())
        else:
            smtp = _PlainSmtp(cut, account.host, account.port, timeout=self._timeout)
        try:
            self._secure(smtp)
            if account.user:
                smtp.login(account.user, account.password)
            yield smtp
        finally:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _secure(self, smtp: smtplib.SMTP) -> None:
        if self._account.is_implicit:
            return
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._trust())
        elif not self._account.is_loopback:
            raise Transient(f"the mail server {self._account.host} offers no TLS: nothing is sent in the clear")

    def _trust(self) -> ssl.SSLContext:
        """The certificates that this system trusts; reading them takes a while."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class _Cut:
    """Cuts a session off when its time is up."""

    def __init__(self, seconds: float) -> None:
        self.is_cut = False
        self._smtp: smtplib.SMTP | None = None
        self._timer = threading.Timer(seconds, self._cut_off)
        self._timer.daemon = True

    def watch(self, smtp: smtplib.SMTP) -> None:
        """This is the session."""
        self._smtp = smtp

    def __enter__(self) -> "_Cut":
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._timer.cancel()

    def _cut_off(self) -> None:
        self.is_cut = True
        sock = self._smtp.sock if self._smtp else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _PlainSmtp(smtplib.SMTP):
    def __init__(self, cut: _Cut, host: str, port: int, *, timeout: float) -> None:
        cut.watch(self)  # before it connects: a greeting may drip as well
        super().__init__(host, port, timeout=timeout)


class _SmtpOverTls(smtplib.SMTP_SSL):
    def __init__(self, cut: _Cut, host: str, port: int, *, timeout: float, context: ssl.SSLContext) -> None:
        cut.watch(self)
        super().__init__(host, port, timeout=timeout, context=context)


def _none_taken(codes: dict[str, int]) -> Exception:
    """For no recipient. One that may be taken later is asked for again, and the others with it."""
    passing = [code for code in codes.values() if code in _PASSES]
    if passing:
        return Transient(f"the mail server put off the recipient ({passing[0]})")
    code = max(codes.values(), default=_NO_MAILBOX)
    return RecipientsRefused(f"the mail server refused the recipient ({code})", codes)


def _not_taken(error: Exception, host: str) -> Exception:
    """Final is only what the server says about the message, or who sends it."""
    if not isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        code = f" ({error.smtp_code})" if isinstance(error, smtplib.SMTPResponseException) else ""
        return Transient(f"the mail server {host}: {type(error).__name__}{code}")
    if error.smtp_code in _REFUSED and error.smtp_code not in _OUR_LOGIN:
        return Permanent(f"the mail server refused the message ({error.smtp_code})")
    return Transient(f"the mail server put off the message ({error.smtp_code})")
