"""Webhooks of subscribers, on real servers."""

import json
import ssl
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from controlplane.adapters.outside_http import Outside
from controlplane.model.status_record import Channel, SubscriberState
from controlplane.ports import Permanent, Transient
from synthetics.status_page.adapters.webhook import Resting, WebhookNotifier
from tests.synthetics.status_page.adapters.hearing import Heard, answering, hearing
from tests.synthetics.status_page.adapters.telling import KEYS, Book
from tests.synthetics.status_page.paging import NOW

NEAR = Outside(allows_private=True, deadline_seconds=5)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def client(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def server(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def notifier(book: Book, outside: Outside = NEAR, resting: Resting | None = None) -> WebhookNotifier:
    return WebhookNotifier(outside, book.directory, KEYS, now=lambda: NOW, resting=resting)


def test_an_update_arrives_signed_and_in_statuspages_shape(authority: trustme.CA) -> None:
    with hearing(answering(204), server(authority)) as (url, heard):
        book = Book(Channel.WEBHOOK, url)
        message = book.update()
        notifier(book, Outside(allows_private=True, tls=client(authority))).notify(message)
    (delivery,) = heard
    body = json.loads(delivery.body)
    assert delivery.path == "/hook?a=1"
    assert delivery.headers["webhook-id"] == message.id == "status:shop:u1:s1"
    timestamp = int(delivery.headers["webhook-timestamp"])
    assert timestamp == int(NOW.timestamp())
    assert delivery.headers["webhook-signature"] == KEYS.signature("shop", "s1", message.id, timestamp, delivery.body)
    assert body.keys() == {"meta", "page", "incident"}
    assert body["page"]["status_indicator"] == "critical"  # of the page, not of this incident
    incident = body["incident"]
    assert (incident["id"], incident["status"], incident["impact"]) == ("i1", "identified", "major")
    assert [update["body"] for update in incident["incident_updates"]] == ["We are on it.\n\nNext update soon."]
    assert body["meta"]["unsubscribe"].startswith("https://hooks.example/status/shop/unsubscribe?s=s1&t=")


def test_a_webhook_hears_nothing_before_it_has_answered_the_challenge() -> None:
    def echo(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        answering(200, json.dumps({"challenge": json.loads(heard.body)["challenge"]}).encode())(heard, handler)

    with hearing(echo) as (url, heard):
        book = Book(Channel.WEBHOOK, url, SubscriberState.PENDING)
        notifier(book).notify(book.update_as_if_active())
        assert heard == []
        notifier(book).notify(book.question())
    assert book.state is SubscriberState.ACTIVE
    assert json.loads(heard[0].body)["secret"] == KEYS.secret("shop", "s1")


def test_the_challenge_may_be_answered_as_plain_text() -> None:
    def echo(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        answering(200, json.loads(heard.body)["challenge"].encode() + b"\n")(heard, handler)

    with hearing(echo) as (url, _):
        book = Book(Channel.WEBHOOK, url, SubscriberState.PENDING)
        notifier(book).notify(book.question())
    assert book.state is SubscriberState.ACTIVE


@pytest.mark.parametrize(
    ("status", "body"), [(200, b""), (200, b"ok"), (200, b'{"challenge": "guess"}'), (200, b"[" * 9000), (404, b"")]
)
def test_a_wrong_answer_subscribes_nobody_and_leaves_no_dead_letter(status: int, body: bytes) -> None:
    with hearing(answering(status, body)) as (url, _):
        book = Book(Channel.WEBHOOK, url, SubscriberState.PENDING)
        notifier(book).notify(book.question())
    assert book.state is SubscriberState.PENDING


@pytest.mark.parametrize(
    ("status", "error"), [(500, Transient), (503, Transient), (429, Transient), (400, Permanent), (302, Permanent)]
)
def test_what_is_not_taken_is_tried_again_or_given_up(status: int, error: type[Exception]) -> None:
    with hearing(answering(status, Location="http://localhost:1/")) as (url, heard):
        book = Book(Channel.WEBHOOK, url)
        with pytest.raises(error, match=str(status)):
            notifier(book).notify(book.update())
    assert len(heard) == 1


def test_a_webhook_that_is_gone_is_told_nothing_more() -> None:
    with hearing(answering(410)) as (url, heard):
        book = Book(Channel.WEBHOOK, url)
        message = book.update()
        for _ in range(2):
            notifier(book).notify(message)
    assert book.state is SubscriberState.ENDED
    assert len(heard) == 1


def test_a_host_that_fails_is_left_alone_for_a_while() -> None:
    clock = [0.0]
    resting = Resting(lambda: clock[0])
    with hearing(answering(500)) as (url, heard):
        book = Book(Channel.WEBHOOK, url)
        for _ in range(5):
            with pytest.raises(Transient):
                notifier(book, resting=resting).notify(book.update())
        assert len(heard) == 3
        clock[0] = 301
        with pytest.raises(Transient):
            notifier(book, resting=resting).notify(book.update())
        assert len(heard) == 4
