"""Mail to subscribers, on a real mail server."""

import email
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from controlplane.model.status_record import Channel, SubscriberState
from controlplane.ports import Permanent, Transient
from flyball.demo.servers import free_port
from synthetics.status_page.adapters.email import EmailNotifier, mail_server
from tests.synthetics.status_page.adapters.telling import KEYS, Book
from tests.synthetics.status_page.paging import NOW


class Post:
    """A mail server that keeps what it gets; `answer` is what it says of recipients and messages."""

    def __init__(self) -> None:
        self.got: list[tuple[Envelope, bool]] = []
        self.of_recipient = "250 OK"
        self.of_message = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:  # noqa: N802
        if self.of_recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.of_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.got.append((envelope, session.ssl is not None))
        return self.of_message

    def mail(self) -> EmailMessage:
        ((envelope, _),) = self.got
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def post(authority: trustme.CA) -> Iterator[SimpleNamespace]:
    """The server with STARTTLS, what it got, and how its certificate is trusted."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    handler = Post()

    def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"flyball", b"p@ss"), handled=False)

    controller = Controller(
        handler, "127.0.0.1", free_port(), tls_context=server, authenticator=login, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield SimpleNamespace(handler=handler, port=controller.port, tls=client)
    controller.stop()


def notifier(post: SimpleNamespace, book: Book, password: str = "p%40ss") -> EmailNotifier:
    server = mail_server(f"smtp://flyball:{password}@localhost:{post.port}")
    return EmailNotifier(server, book.directory, KEYS, now=lambda: NOW, tls=post.tls)


def test_an_update_comes_over_tls_with_the_way_out_in_its_headers(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    notifier(post, book).notify(book.update("**We** are on it & busy.\n\nNext <b>update</b> soon."))
    ((envelope, over_tls),) = post.handler.got
    assert over_tls
    assert envelope.rcpt_tos == ["ann@example.com"]
    mail = post.handler.mail()
    assert mail["Subject"] == "[Shop] Identified: Outage of API"
    assert (mail["From"], mail["Reply-To"]) == ("Shop <status@shop.example>", "help@shop.example")
    link = f"https://hooks.example/status/shop/unsubscribe?s=s1&t={KEYS.unsubscribing('shop', 's1')}"
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == "<status.shop.u1.s1@shop.example>"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert "**We** are on it & busy." in text
    assert link in text
    assert "<p>Next &lt;b&gt;update&lt;/b&gt; soon.</p>" in html
    assert "https://status.example/incidents/i1.html" in html


def test_the_question_has_the_link_that_confirms(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com", SubscriberState.PENDING)
    notifier(post, book).notify(book.question())
    mail = post.handler.mail()
    assert mail["Subject"] == "Confirm: updates of Shop"
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"/status/shop/confirm?s=s1&t={KEYS.confirming('shop', 's1', 'nonce')}" in body.get_content()


def test_nothing_is_sent_to_who_ended_it_meanwhile(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    message = book.update()
    book.directory.end("shop", "s1")
    notifier(post, book).notify(message)
    assert post.handler.got == []


@pytest.mark.parametrize("text", ["Outage\r\nBcc: all@example.com", "Outage\nX-Evil: 1\n\n<p>", "Ausfall \u202eÜ ✓"])
def test_no_text_becomes_a_header(post: SimpleNamespace, text: str) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    notifier(post, book).notify(book.update(name=text))
    mail = post.handler.mail()
    assert {name.lower() for name in mail.keys()}.isdisjoint({"bcc", "x-evil"})  # noqa: SIM118
    assert "\u202e" not in mail["Subject"]


@pytest.mark.parametrize(
    ("of_recipient", "of_message", "error"),
    [
        ("450 busy", "250 OK", Transient),
        ("250 OK", "451 later", Transient),
        ("250 OK", "554 spam", Permanent),
    ],
)
def test_what_the_server_says_decides_what_becomes_of_it(
    post: SimpleNamespace, of_recipient: str, of_message: str, error: type[Exception]
) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    post.handler.of_recipient, post.handler.of_message = of_recipient, of_message
    with pytest.raises(error):
        notifier(post, book).notify(book.update())
    assert book.state is SubscriberState.ACTIVE


def test_a_mailbox_that_does_not_exist_is_told_nothing_more(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    post.handler.of_recipient = "550 nobody here"
    notifier(post, book).notify(book.update())
    assert book.state is SubscriberState.ENDED


def test_a_wrong_password_is_ours_to_mend_and_is_not_told(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    with pytest.raises(Transient) as told:
        notifier(post, book, "s3cret").notify(book.update())
    assert "s3cret" not in str(told.value)


def test_a_server_without_its_certificate_gets_nothing(post: SimpleNamespace) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    post.tls = None
    with pytest.raises(Transient):
        notifier(post, book).notify(book.update())
    assert post.handler.got == []


def test_a_server_that_is_not_there_is_tried_again() -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    server = mail_server(f"smtp://127.0.0.1:{free_port()}")
    with pytest.raises(Transient, match="Refused"):
        EmailNotifier(server, book.directory, KEYS, now=lambda: NOW).notify(book.update())


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://user:s3cret@host:port", "smtps:host"])
def test_a_bad_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="mail server's URL") as told:
        mail_server(url)
    assert "s3cret" not in str(told.value)


def test_a_servers_password_is_not_shown() -> None:
    server = mail_server("smtps://ann:p%40ss@mail.example")
    assert (server.port, server.is_implicit, server.password) == (465, True, "p@ss")
    assert "p@ss" not in repr(server)
