"""Requests to flag stores: bounded in time and size, nobody else's server, no secret told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore
import pytest
import trustme

from controlplane.ports import Permanent, Transient
from finops.flags.adapters import conversing
from finops.flags.adapters.conversing import Server
from finops.flags.adapters.deadline import Deadline
from flyball.demo.servers import LOOPBACK, free_port
from tests.contracts.flag_benches import declared, opened, opened_unleash
from tests.finops.flags.serving import Reply, Request, serving

SECRET = "s3cret-token-of-ours"
PATH = "/services/T0000/B0000/path-that-is-a-token"


def server(url: str, **kwargs: object) -> Server:
    return Server("flag store", url + PATH, headers={"Authorization": SECRET}, secrets=[SECRET], **kwargs)  # type: ignore[arg-type]


@contextmanager
def raw(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with a connection what it is told."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    thread.join()


def dripping(connection: socket.socket) -> None:
    """A header that comes letter by letter and never ends; each one would restart the time-out of a read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    stop = threading.Event()
    try:
        while not stop.wait(0.02):
            connection.sendall(b"x")
    except OSError:
        return


def test_an_answer_that_comes_drop_by_drop_ends_with_the_call() -> None:
    assert conversing.CALL_SECONDS < 5
    with raw(dripping) as url, pytest.raises(Transient, match=r"did not answer within 0\.2 s"):
        server(url, call_seconds=0.2).ask("GET", "/flags")


def test_all_requests_of_a_call_share_its_time() -> None:
    deadline = Deadline()
    with deadline.within(0), deadline.within(5), pytest.raises(httpcore.TimeoutException):
        deadline.left()
    with deadline.within(5):
        assert 0 < deadline.left() <= 5
        with deadline.within(0):
            pass
        assert deadline.left() > 0
    with serving(lambda request: Reply(200)) as url:
        hurried = server(url, call_seconds=0)
        with hurried.call(), pytest.raises(Transient, match="did not answer within"):
            hurried.ask("GET", "/flags")


def test_redirects_are_not_followed_and_tell_no_path() -> None:
    seen: list[Request] = []

    def elsewhere(request: Request) -> Reply:
        seen.append(request)
        return Reply(200)

    with serving(elsewhere) as other:
        location = f"{other}/x?token={SECRET}"
        with (
            serving(lambda request: Reply(307, b"", {"Location": location})) as url,
            pytest.raises(Permanent, match=r"redirects to http://127\.0\.0\.1: write") as told,
        ):
            server(url).ask("GET", "/flags")
    assert seen == []
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("status", [400, 401, 403, 409, 429, 500, 503])
def test_no_error_holds_a_secret_of_the_headers_or_the_address(status: int) -> None:
    def echo(request: Request) -> Reply:
        return Reply(status, f"{request.headers['authorization']} {request.target}".encode())

    with serving(echo) as url:
        asking = server(url)
        with pytest.raises((Permanent, Transient)) as told:
            raise asking.refusal(asking.ask("GET", "/flags"), "reading")
    assert SECRET not in str(told.value)
    assert PATH not in str(told.value)
    assert isinstance(told.value, Transient) == (status >= 429)


def test_an_answer_is_bounded_and_must_be_what_it_says() -> None:
    with serving(lambda request: Reply(200, b"x" * 1001)) as url, pytest.raises(Permanent, match="more than 1,000"):
        server(url, most_bytes=1000).ask("GET", "")
    with serving(lambda request: Reply(200, b"<html>")) as url, pytest.raises(Permanent, match="no JSON"):
        server(url).data(server(url).ask("GET", ""))


@pytest.mark.parametrize(
    "url",
    ["ftp://host", "host", "http://", "http://user:password@host", "http://host:0", "http://host:99999", "http://[1"],
)
def test_an_address_that_cannot_be_one_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Permanent, match="address") as told:
        Server("flag store", url, headers={})
    assert "password@" not in str(told.value)


@pytest.mark.parametrize("type_", ["unleash", "launchdarkly", "webhook", "ofrep"])
def test_a_store_that_is_down_is_told_as_something_that_may_pass(type_: str) -> None:
    options = {
        "url": f"http://{LOOPBACK}:{free_port()}", "project": "p", "environment": "e",
        "tokenFrom": "T", "clientTokenFrom": "T", "secretFrom": "T",
    }  # fmt: skip
    opening = opened(type_, options, variables={"T": SECRET})
    for ask in (opening.store.read, opening.store.uses, opening.client.values):
        with pytest.raises(Transient, match="unreachable") as told:
            ask([declared("a")])
        assert SECRET not in str(told.value)


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(Transient, match="unreachable"):
        opened_unleash("http://flags.invalid").store.read([declared("a")])


def test_a_certificate_that_this_system_does_not_trust_ends_the_talk() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(context)
    asked: list[bytes] = []
    with socket.create_server((LOOPBACK, 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    asked.append(secured.recv(65536))
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(Transient, match="certificate verify failed"):
            server(f"https://{LOOPBACK}:{listening.getsockname()[1]}").ask("GET", "/flags")
        thread.join()
    assert asked == []
