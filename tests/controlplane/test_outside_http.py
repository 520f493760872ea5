"""Requests to addresses that others gave us."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from controlplane.adapters.outside_http import MOST_BYTES, Outside, is_public
from controlplane.ports import Permanent, Transient
from tests.synthetics.status_page.adapters.hearing import Heard, answering, hearing

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


@pytest.fixture
def never() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_is_told_whatever_its_status(authority: trustme.CA) -> None:
    with hearing(answering(429, b"later", Retry_After="7"), server(authority)) as (url, heard):
        answer = Outside(allows_private=True, tls=client(authority)).post(url, b"{}", {"X-Ours": "1"})
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (429, b"later", "7")
    assert (heard[0].path, heard[0].body, heard[0].headers["x-ours"]) == ("/hook?a=1", b"{}", "1")


def test_one_that_dawdles_is_cut_off(never: threading.Event) -> None:
    def dawdle(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        while not never.wait(0.01):
            handler.wfile.write(b"H")

    with hearing(dawdle) as (url, _):
        with pytest.raises(Transient, match="it took too long"):
            Outside(allows_private=True, deadline_seconds=0.3).post(url, b"{}", {})
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


def test_an_address_that_is_not_public_is_not_gone_to() -> None:
    with hearing(answering(200)) as (url, heard):
        for target in (url, url.replace("localhost", "127.0.0.1"), url.replace("http://", "https://")):
            with pytest.raises(Permanent, match="not public"):
                Outside().post(target, b"{}", {})
    assert heard == []


def test_a_server_must_prove_its_name(authority: trustme.CA) -> None:
    with (
        hearing(answering(200), server(authority, "other.example")) as (url, heard),
        pytest.raises(Transient, match="SSLCertVerificationError"),
    ):
        Outside(allows_private=True, tls=client(authority)).post(url, b"{}", {})
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
