"""A mail server on loopback: it keeps what it takes, and refuses, puts off, hangs up or drips on command."""

import email
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from flyball.demo.servers import free_port

USER, PASSWORD = "flyball", "p@ss"
OK: Final = "250 OK"
_DRIP_SECONDS: Final = 0.02


@dataclass
class Mail:
    """A mail as it was taken."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    over_tls: bool


@dataclass
class Post:
    """What the server does. `of_recipient` by address, then for all; `hangs_up`: it closes when the mail comes."""

    got: list[Mail] = field(default_factory=list)
    of_recipients: dict[str, str] = field(default_factory=dict)
    of_recipient: str = OK
    of_message: str = OK
    hangs_up: bool = False
    loses_answer: bool = False  # it takes the mail, then closes

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:  # noqa: N802
        answer = self.of_recipients.get(to, self.of_recipient)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.of_message == OK and not self.hangs_up:
            self.got.append(_mail(envelope, over_tls=session.ssl is not None))
        if self.hangs_up or self.loses_answer:
            server.transport.abort()
        return self.of_message

    def to(self, address: str) -> list[EmailMessage]:
        """What one of them got, first to last."""
        return [mail.message for mail in self.got if address in mail.recipients]


def _mail(envelope: Envelope, *, over_tls: bool) -> Mail:
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=default)
    assert isinstance(message, EmailMessage)
    return Mail(str(envelope.mail_from), list(envelope.rcpt_tos), message, over_tls)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, with_login: bool = False) -> Iterator[tuple[Post, str]]:
    """What it did, and `host:port`. With `tls` it offers STARTTLS, and takes a login over it only."""
    post = Post()

    def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    controller = Controller(
        post, "127.0.0.1", free_port(), tls_context=tls, auth_required=with_login,
        authenticator=login if with_login else None,
    )  # fmt: skip
    controller.start()
    try:
        yield post, f"localhost:{controller.port}"
    finally:
        controller.stop()


@contextmanager
def dripping_mail_server(beginning: bytes = b"") -> Iterator[str]:
    """`host:port` of a server that says `beginning`, then one letter after the other, without end."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while not ended.is_set():
                connection, _ = listener.accept()
                threading.Thread(target=drip, args=(connection,), daemon=True).start()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(beginning)
            while not ended.wait(_DRIP_SECONDS):
                connection.sendall(b"2")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"localhost:{listener.getsockname()[1]}"
    finally:
        ended.set()
        listener.close()
