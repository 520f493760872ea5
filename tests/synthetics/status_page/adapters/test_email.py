"""Mail to subscribers, to a real server."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from controlplane.adapters.smtp import Smtp, mail_account
from controlplane.model.status_record import Channel, SubscriberState
from controlplane.ports import Transient
from synthetics.status_page.adapters.email import EmailNotifier
from tests.outside.smtp import Post, mail_server
from tests.synthetics.status_page.adapters.telling import KEYS, Book
from tests.synthetics.status_page.paging import NOW


@dataclass
class Office:
    """The server, and what it got."""

    handler: Post
    at: str

    def mail(self) -> EmailMessage:
        (mail,) = self.handler.got
        return mail.message


@pytest.fixture(scope="module")
def running() -> Iterator[Office]:
    with mail_server() as (post, at):
        yield Office(post, at)


@pytest.fixture
def post(running: Office) -> Office:
    """As new."""
    running.handler.__init__()  # type: ignore[misc]
    return running


def notifier(post: Office, book: Book) -> EmailNotifier:
    return EmailNotifier(Smtp(mail_account(f"smtp://{post.at}")), book.directory, KEYS, now=lambda: NOW)


def test_an_update_comes_with_the_way_out_in_its_headers(post: Office) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    notifier(post, book).notify(book.update("**We** are on it & busy.\n\nNext <b>update</b> soon."))
    assert post.handler.got[0].recipients == ["ann@example.com"]
    mail = post.mail()
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


def test_the_question_has_the_link_that_confirms(post: Office) -> None:
    book = Book(Channel.EMAIL, "ann@example.com", SubscriberState.PENDING)
    notifier(post, book).notify(book.question())
    mail = post.mail()
    assert mail["Subject"] == "Confirm: updates of Shop"
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"/status/shop/confirm?s=s1&t={KEYS.confirming('shop', 's1', 'nonce')}" in body.get_content()


def test_nothing_is_sent_to_who_ended_it_meanwhile(post: Office) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    message = book.update()
    book.directory.end("shop", "s1")
    notifier(post, book).notify(message)
    assert post.handler.got == []


@pytest.mark.parametrize("text", ["Outage\r\nBcc: all@example.com", "Outage\nX-Evil: 1\n\n<p>", "Ausfall \u202eÜ ✓"])
def test_no_text_becomes_a_header(post: Office, text: str) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    notifier(post, book).notify(book.update(name=text))
    mail = post.mail()
    assert {name.lower() for name in mail.keys()}.isdisjoint({"bcc", "x-evil"})  # noqa: SIM118
    assert "\u202e" not in mail["Subject"]


def test_a_mailbox_that_does_not_exist_is_told_nothing_more(post: Office) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    post.handler.of_recipient = "550 nobody here"
    notifier(post, book).notify(book.update())
    assert book.state is SubscriberState.ENDED


def test_a_server_that_puts_it_off_ends_no_subscription(post: Office) -> None:
    book = Book(Channel.EMAIL, "ann@example.com")
    post.handler.of_recipient = "450 busy"
    with pytest.raises(Transient):
        notifier(post, book).notify(book.update())
    assert book.state is SubscriberState.ACTIVE
