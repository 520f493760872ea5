"""Webhooks of subscribers, on real servers."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from controlplane.model.status_record import Channel, SubscriberState
from controlplane.ports import Permanent, Transient
from synthetics.status_page.adapters.outside import MOST_BYTES, Outside, is_public
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
    return WebhookNotifier(book.directory, KEYS, now=lambda: NOW, outside=outside, resting=resting)


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


@pytest.fixture
def never() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_one_that_dawdles_is_cut_off(never: threading.Event) -> None:
    def dawdle(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        while not never.wait(0.01):
            handler.wfile.write(b"H")

    with hearing(dawdle) as (url, _):
        book = Book(Channel.WEBHOOK, url)
        with pytest.raises(Transient, match="it took too long"):
            notifier(book, Outside(allows_private=True, deadline_seconds=0.3)).notify(book.update())
        never.set()


def test_of_an_endless_answer_only_the_beginning_is_read(never: threading.Event) -> None:
    def endless(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not never.is_set():
                handler.wfile.write(b"x" * 65536)
        except OSError:
            return

    with hearing(endless) as (url, _):
        answer = NEAR.post(url, b"{}", {})
        never.set()
    assert (answer.status, len(answer.body)) == (200, MOST_BYTES)


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


def test_an_address_that_is_not_public_is_not_gone_to() -> None:
    with hearing(answering(200)) as (url, heard):
        for target in (url, url.replace("localhost", "127.0.0.1"), url.replace("http://", "https://")):
            book = Book(Channel.WEBHOOK, target)
            with pytest.raises(Permanent, match="not public"):
                notifier(book, Outside()).notify(book.update())
    assert heard == []


def test_a_server_must_prove_its_name(authority: trustme.CA) -> None:
    with hearing(answering(200), server(authority, "other.example")) as (url, heard):
        book = Book(Channel.WEBHOOK, url)
        with pytest.raises(Transient, match="SSLCertVerificationError"):
            notifier(book, Outside(allows_private=True, tls=client(authority))).notify(book.update())
    assert heard == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:a00:1::", "198.18.0.1", "192.0.2.1", "2001:db8::1", "240.0.0.1",
    ],
)  # fmt: skip
def test_these_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_these_are_public(address: str) -> None:
    assert is_public(address)
