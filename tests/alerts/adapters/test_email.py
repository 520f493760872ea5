"""Incidents by mail, to a real server."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from alerts.adapters.email import EmailNotifier
from alerts.ports import RateLimited
from controlplane.adapters.smtp import Smtp, mail_account
from controlplane.ports import Permanent, Transient
from tests.alerts.adapters.telling import Book
from tests.alerts.messages.samples import INCIDENT, a_snapshot, acknowledged, resolved
from tests.outside.smtp import Post, mail_server

LANE = "email:ann@example.com,ben@example.com"
ANN, BEN = "ann@example.com", "ben@example.com"


@dataclass
class Office:
    post: Post
    at: str

    def notifier(self, book: Book, *, calls: int = 100) -> EmailNotifier:
        server = Smtp(mail_account(f"smtp://{self.at}"))
        return EmailNotifier(
            LANE,
            [ANN, BEN, ANN],
            server,
            book.showing(),
            book.rate(calls),
            sender="flyball@example.com",
            now=book.clock,
        )

    def subjects(self, to: str) -> list[str]:
        return [mail["Subject"].partition(" P1")[0] for mail in self.post.to(to)]


@pytest.fixture(scope="module")
def running() -> Iterator[Office]:
    with mail_server() as (post, at):
        yield Office(post, at)


@pytest.fixture
def office(running: Office) -> Office:
    """As new."""
    running.post.__init__()  # type: ignore[misc]
    return running


def test_each_state_comes_to_everybody_once(office: Office, book: Book) -> None:
    notifier = office.notifier(book)
    for snapshot in (a_snapshot(), a_snapshot(), a_snapshot(acknowledged()), a_snapshot(resolved())):
        notifier.notify(book.say(snapshot, LANE))
    assert office.subjects(ANN) == office.subjects(BEN) == ["[Firing]", "[Acknowledged by ann]", "[Resolved]"]
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert (outside.outside_id, outside.told_version) == ("<incident.9f2c41d0aa@example.com>", resolved().version)
    assert outside.closed_at == book.now


def test_news_that_are_none_for_a_mailbox_send_no_mail(office: Office, book: Book) -> None:
    notifier = office.notifier(book)
    notifier.notify(book.say(a_snapshot(acknowledged(version=4)), LANE))
    notifier.notify(book.say(a_snapshot(acknowledged(version=9)), LANE))
    assert len(office.post.got) == 2
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert outside.told_version == 9


def test_one_who_is_put_off_keeps_it_from_nobody_and_nobody_gets_it_twice(office: Office, book: Book) -> None:
    message = book.say(a_snapshot(), LANE)
    office.post.of_recipients = {BEN: "450 busy"}
    with pytest.raises(Transient):
        office.notifier(book).notify(message)
    office.post.of_recipients = {}
    office.notifier(book).notify(message)
    assert (len(office.post.to(ANN)), len(office.post.to(BEN))) == (1, 1)


def test_a_mailbox_that_does_not_exist_keeps_it_from_nobody(office: Office, book: Book) -> None:
    office.post.of_recipients = {ANN: "550 nobody"}
    office.notifier(book).notify(book.say(a_snapshot(), LANE))
    assert office.subjects(BEN) == ["[Firing]"]


def test_when_there_is_no_mailbox_at_all_it_is_given_up(office: Office, book: Book) -> None:
    office.post.of_recipient = "550 nobody"
    with pytest.raises(Permanent, match="none of the recipients"):
        office.notifier(book).notify(book.say(a_snapshot(), LANE))


def test_an_answer_that_was_lost_means_the_same_mail_again(office: Office, book: Book) -> None:
    message = book.say(a_snapshot(), LANE)
    office.post.loses_answer = True
    with pytest.raises(Transient):
        office.notifier(book).notify(message)
    office.post.loses_answer = False
    office.notifier(book).notify(message)
    first, second = office.post.to(ANN)
    assert first["Message-ID"] == second["Message-ID"]  # so that mail programs show it once


def test_the_rate_is_kept(office: Office, book: Book) -> None:
    message = book.say(a_snapshot(), LANE)
    with pytest.raises(RateLimited):
        office.notifier(book, calls=1).notify(message)
    assert (len(office.post.to(ANN)), len(office.post.to(BEN))) == (1, 0)
