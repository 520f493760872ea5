"""WebSocket probes against websockets' own server, and against servers that are none."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve

from synthetics.probes.adapters.websocket import probe_websocket
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import QueryStep, TLSOptions, WebSocketModule
from tests.synthetics.probes.adapters.outside import (
    LONG_SECONDS,
    SHORT_SECONDS,
    TRACEPARENT,
    Handler,
    around,
    certificates,
    endless,
    garbage,
    gauges,
    half_closed,
    hang_up,
    nothing,
    phases,
    reset,
    run,
    saying,
    serving,
)


def asked(
    handler: Callable[[ServerConnection], Awaitable[None]],
    module: WebSocketModule | None = None,
    *,
    seconds: float = LONG_SECONDS,
    path: str = "/",
    secure: bool = False,
    **changes: Any,
) -> Attempt:
    async def main() -> Attempt:
        context = certificates().good if secure else None
        async with serve(handler, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            target = f"{'wss' if secure else 'ws'}://127.0.0.1:{port}{path}"
            attempt = await probe_websocket(module or WebSocketModule(), target, around(seconds, **changes))
            for _ in range(200):  # the server hears the goodbye, if there was one
                if server.connections and seconds == LONG_SECONDS:
                    await asyncio.sleep(0.002)
            for connection in server.connections:
                connection.transport.abort()
            return attempt

    return run(main)


async def idle(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def echo(connection: ServerConnection) -> None:
    await connection.send("hello 42")
    async for message in connection:
        await connection.send(f"you said {message!s}")


def test_a_handshake_is_enough() -> None:
    attempt = asked(idle)
    assert (attempt.reason, attempt.detail) == ("", "")
    assert phases(attempt) == ["resolve", "connect", "processing"]
    found = gauges(attempt)
    assert set(found) == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_websocket_status_code",
        "probe_websocket_connection_upgraded", "probe_websocket_failed_due_to_regex",
        'probe_websocket_duration_seconds{phase="resolve"}', 'probe_websocket_duration_seconds{phase="connect"}',
        'probe_websocket_duration_seconds{phase="processing"}',
    }  # fmt: skip
    assert found["probe_websocket_status_code"] == 101
    assert found["probe_websocket_connection_upgraded"] == 1


def test_a_conversation_takes_groups_along_and_ends_with_a_goodbye() -> None:
    codes: list[int | None] = []

    async def listen(connection: ServerConnection) -> None:
        await echo(connection)
        codes.append(connection.close_code)

    steps = (QueryStep(expect=r"hello (?P<n>\d+)", send="$n and ${1}"), QueryStep(expect="^you said 42 and 42$"))
    attempt = asked(listen, WebSocketModule(steps=steps))
    assert (attempt.reason, attempt.detail) == ("", "")
    assert phases(attempt) == ["resolve", "connect", "processing", "transfer"]
    assert codes == [1000]


def test_headers_the_trace_and_the_query_go_along() -> None:
    seen: list[websockets.Request] = []

    async def look(connection: ServerConnection) -> None:
        assert connection.request
        seen.append(connection.request)
        await connection.wait_closed()

    module = WebSocketModule(headers=(("Host", "shop.example.com"), ("X-Key", "${env:KEY}"), ("Origin", "https://a")))
    assert asked(look, module, path="/feed?of=prices", variables={"KEY": "hunter2"}).reason == ""
    request = seen[0]
    assert request.path == "/feed?of=prices"
    assert request.headers["Host"] == "shop.example.com"
    assert request.headers["X-Key"] == "hunter2"
    assert request.headers["Origin"] == "https://a"
    assert request.headers["traceparent"] == TRACEPARENT
    assert request.headers["User-Agent"].startswith("flyball/")


def test_tls_shows_its_certificate() -> None:
    made = certificates()
    attempt = asked(idle, WebSocketModule(tls=TLSOptions(ca_file=made.ca_file)), secure=True)
    assert attempt.reason == ""
    assert phases(attempt) == ["resolve", "connect", "tls", "processing"]
    assert attempt.answer.certificate_ends_at == made.ends_at
    seconds = {timing.name: timing.seconds for timing in attempt.timings}
    found = gauges(attempt)
    assert found['probe_websocket_duration_seconds{phase="processing"}'] == seconds["tls"] + seconds["processing"]
    assert asked(idle, WebSocketModule(), secure=True).reason == "certificate"


@pytest.mark.parametrize(
    ("said", "expect", "reason", "detail"),
    [
        (["hello", "ready"], "ready", "expect", "the last was `hello`"),  # the next message, as blackbox_exporter
        ([b"\xff ready"], "ready", "", ""),
        ([["re", "ad", "y"]], "^ready$", "", ""),  # in fragments
        ([], "ready", "timeout", "waiting for a message"),
        (["x" * 1_000_000], "ready", "expect", ""),
        (["x" * 1_100_000], "ready", "size", "a message of more than 1,048,576 bytes"),
        ([["x" * 600_000, "x" * 600_000]], "ready", "size", "a message of more than 1,048,576 bytes"),
    ],
)
def test_messages_are_matched_one_by_one(said: list[Any], expect: str, reason: str, detail: str) -> None:
    async def talk(connection: ServerConnection) -> None:
        for message in said:
            await connection.send(message)
        await connection.wait_closed()

    module = WebSocketModule(steps=(QueryStep(expect=expect),))
    attempt = asked(talk, module, seconds=SHORT_SECONDS if reason == "timeout" else LONG_SECONDS)
    assert attempt.reason == reason
    assert detail in attempt.detail
    assert gauges(attempt)["probe_websocket_failed_due_to_regex"] == (reason == "expect")


def test_a_server_that_says_goodbye_first_is_a_failure() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(1001, "going away")

    attempt = asked(leave, WebSocketModule(steps=(QueryStep(expect="x"),)))
    assert attempt.reason == "connection"
    assert "going away" in attempt.detail


def _shaken(*frames: bytes) -> Handler:
    """A proper handshake, and then bytes of any kind."""
    from websockets.utils import accept_key

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
        )
        for frame in frames:
            writer.write(frame)
            await writer.drain()
        await asyncio.sleep(1000)

    return talk


TEN_GIGABYTES = b"\x82\x7f" + struct.pack("!Q", 10 * 2**30) + b"x" * 70_000


@pytest.mark.parametrize(
    ("handler", "reason", "said"),
    [
        (nothing, "timeout", "waiting for the end of the handshake"),
        (half_closed, "connection", "in the handshake"),
        (hang_up, "connection", ""),
        (reset, "connection", ""),
        (garbage, "protocol", "handshake"),
        (endless(b"x" * 1000), "protocol", ""),
        (saying(b"HTTP/1.1 101 Switching"), "timeout", ""),
        (saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"), "status", "answers 404"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), "protocol", ""),
        (endless(b"X-Header: 1\r\n", b"HTTP/1.1 101 Switching Protocols\r\n"), "protocol", "headers"),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), "protocol", "Connection"),
        (
            saying(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: bm90IG91cnM=\r\n\r\n"
            ),
            "protocol",
            "Accept",
        ),
        (_shaken(TEN_GIGABYTES), "size", "a message of more than"),
        (_shaken(b"\xff\xff\xff\xff"), "protocol", "no WebSocket"),
        (_shaken(*[b"\x01\0"] + [b"\0\0" * 5000] * 4), "size", "10,000 frames"),  # a message of nothing, never ended
        (_shaken(*[b"\x89\0" * 5000] * 4), "size", "10,000 frames"),  # pings
        (_shaken(b"\x81\x05hel"), "timeout", "waiting for a message"),
    ],
)
def test_what_is_no_websocket_is_a_bounded_failure(handler: Handler, reason: str, said: str) -> None:
    async def main() -> Attempt:
        async with serving(handler) as target:
            seconds = SHORT_SECONDS if reason == "timeout" else LONG_SECONDS
            module = WebSocketModule(steps=(QueryStep(expect="x"),))
            return await probe_websocket(module, f"ws://{target}/", around(seconds))

    attempt = run(main)
    assert attempt.reason == reason
    assert said in attempt.detail
    assert not attempt.is_fault


@pytest.mark.parametrize("target", ["", "http://example.com", "ws://", "ws://example.com:99999/", "ws://a b/"])
def test_a_target_that_is_none_is_our_fault(target: str) -> None:
    attempt = run(lambda: probe_websocket(WebSocketModule(), target, around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)


def test_a_variable_that_is_not_set_and_a_header_that_is_none_are_our_faults() -> None:
    module = WebSocketModule(headers=(("X-Key", "${env:NOWHERE}"),))
    attempt = run(lambda: probe_websocket(module, "ws://127.0.0.1:1/", around()))
    assert (attempt.reason, attempt.is_fault) == ("variable", True)
    module = WebSocketModule(headers=(("X-Key", "a\r\nb: c"),))
    attempt = run(lambda: probe_websocket(module, "ws://127.0.0.1:1/", around()))
    assert (attempt.reason, attempt.is_fault) == ("request", True)
