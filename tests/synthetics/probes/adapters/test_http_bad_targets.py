"""Targets that misbehave: every try ends in time, in little memory, with its reason."""

import asyncio
import gzip
import resource
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import h2.connection
import pytest

from synthetics.probes.adapters.http import probe_http
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import HTTPModule, TLSOptions
from tests.synthetics.probes.web_servers import (
    Handler,
    Served,
    answering,
    around,
    authority,
    http2,
    moved,
    response,
    server_context,
    serving,
    trust_file,
)

SHORT = 0.15


async def _asked(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


def saying(said: bytes, *, then: str = "close") -> Handler:
    """Says this to every request; then closes, resets or stays silent."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asked(reader)
        writer.write(said)
        await writer.drain()
        if then == "reset":
            made = writer.get_extra_info("socket")
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif then == "stay":
            await asyncio.Event().wait()

    return handle


def repeating(first: bytes, piece: bytes, pause: float = 0.0) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asked(reader)
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


def tried(handler: Handler, module: HTTPModule | None = None, seconds: float = 10.0, *, tls: bool = False) -> Attempt:
    async def scene() -> Attempt:
        async with serving(handler, server_context() if tls else None) as server:
            scheme = "https" if tls else "http"
            return await probe_http(module or HTTPModule(), server.url(scheme=scheme), around(seconds))

    return asyncio.run(scene())


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = 2**20


@pytest.mark.parametrize(
    ("handler", "reason", "detail"),
    [
        (saying(HEAD + b"Content-Length: 10737418240\r\n\r\n"), "size", "the body announces 10,737,418,240 bytes"),
        (repeating(HEAD + b"\r\n", b"x" * 65_536), "size", "the body is larger; at most 1,048,576 bytes are read"),
        (repeating(CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), "size", "the body is larger"),
        (repeating(CHUNKED, b"1\r\nx\r\n" * 10_000), "size", "the body comes in more than 50,000 pieces"),
        (repeating(CHUNKED, b"1;" + b"e" * 30_000 + b"\r\nx\r\n"), "size", "the target sends more around the body"),
        (repeating(HEAD, b"X-Flood: " + b"y" * 5000 + b"\r\n"), "size", "its headers are larger than 65,536 bytes"),
        (repeating(HEAD, b"X: y\r\n" * 1000), "size", "its headers are larger"),
        (repeating(b"HTTP/1.1 200 ", b"O" * 5000), "size", "its headers are larger"),
        (repeating(CHUNKED, b"1;" + b"e" * 5000), "size", "its headers are larger"),
        (repeating(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), "protocol", "one interim response follows the other"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol", "the answer is not HTTP as it should be"),
        (saying(bytes(range(256)) * 8), "protocol", "the answer is not HTTP as it should be"),
        (saying(b""), "connection", "the target closed the connection without an answer"),
        (saying(HEAD + b"Content-Length: 5\r\n\r\nab"), "protocol", "the answer is not HTTP as it should be"),
        (saying(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nab"), "protocol", "the answer is not HTTP"),
        (saying(CHUNKED + b"zz\r\n"), "protocol", "the answer is not HTTP as it should be"),
        (saying(b"", then="reset"), "connection", "the target closed the connection while the response was awaited"),
        (saying(response(b"no gzip", Content_Encoding="gzip")), "protocol", "the body is not the gzip that its header"),
    ],
)
def test_nonsense_and_floods_end_at_once_with_their_reason(handler: Handler, reason: str, detail: str) -> None:
    made = tried(handler, HTTPModule(max_body_bytes=MEGABYTE))
    assert made.reason == reason, made.detail
    assert detail in made.detail
    assert not made.is_fault
    assert made.answer.body == b""


@pytest.mark.parametrize(
    ("handler", "detail"),
    [
        (saying(b"", then="stay"), "waiting for the response"),
        (repeating(HEAD, b"X", 0.01), "waiting for the end of the headers"),  # a header, a byte at a time
        (repeating(HEAD + b"Content-Length: 100000\r\n\r\n", b"x", 0.01), "waiting for the end of the body"),
        (saying(HEAD + b"Content-Length: 5\r\n\r\nab", then="stay"), "the end of the body, 2 bytes of it were read"),
    ],
)
def test_slow_targets_end_with_the_timeout_as_a_whole(handler: Handler, detail: str) -> None:
    made = tried(handler, seconds=SHORT)
    assert made.reason == "timeout"
    assert detail in made.detail
    assert made.detail.startswith("0.15 s were over")


def test_a_server_that_does_not_accept_or_shake_hands_ends_with_the_timeout() -> None:
    async def scene() -> tuple[Attempt, Attempt]:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(0)
            port = silent.getsockname()[1]
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:  # the system takes no more than these for it
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            await asyncio.sleep(0)
            connecting = await probe_http(HTTPModule(), f"http://127.0.0.1:{port}/", around(SHORT))
            for one in waiting:
                one.close()
        async with serving(lambda reader, writer: asyncio.Event().wait()) as server:  # type: ignore[arg-type, return-value]
            shaking = await probe_http(HTTPModule(), server.url(scheme="https"), around(SHORT))
        return connecting, shaking

    connecting, shaking = asyncio.run(scene())
    assert (connecting.reason, connecting.detail) == ("timeout", "0.15 s were over while waiting for the connection")
    assert (shaking.reason, shaking.detail) == ("timeout", "0.15 s were over while waiting for the TLS handshake")
    assert [timing.name for timing in shaking.timings] == ["resolve", "connect", "tls"]


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = asyncio.run(probe_http(HTTPModule(), f"http://127.0.0.1:{port}/", around()))
    assert (made.reason, made.detail) == ("connect", f"127.0.0.1:{port} refuses connections")
    assert not made.is_fault


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (lambda path, head: moved("/"), "redirects", "the redirects lead back to http://127.0.0.1:"),
        (lambda path, head: moved("/b" if path == "/a" else "/a"), "redirects", "the redirects lead back to"),
        (lambda path, head: moved(f"{path}x"), "redirects", "more than 10 redirects"),
        (lambda path, head: moved("ftp://example.com/"), "redirects", "`ftp` is not http or https"),
        (
            lambda path, head: moved("http://127.0.0.1:99999/"),
            "redirects",
            "has a port that is not between 1 and 65535",
        ),
        (lambda path, head: moved("/" + "x" * 9000), "redirects", "is longer than 8192 characters"),
    ],
)
def test_redirects_that_lead_nowhere_end(answer: Callable[[str, str], bytes], reason: str, detail: str) -> None:
    async def scene() -> tuple[Attempt, Served]:
        async with answering(answer) as server:
            return await probe_http(HTTPModule(), server.url(), around()), server

    made, server = asyncio.run(scene())
    assert made.reason == reason
    assert detail in made.detail
    assert len(server.requests) <= 11


def test_compression_bombs_do_not_explode() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(bomb.compress(b"\0" * MEGABYTE) for _ in range(60)) + bomb.flush()
    assert len(packed) < 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for body in (packed, gzip.compress(packed)):
        made = tried(saying(response(body, Content_Encoding="gzip")), HTTPModule(max_body_bytes=MEGABYTE))
        assert made.reason in ("size", "")  # packed twice, it is small when unpacked once
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 50  # MiB


def test_many_endless_bodies_at_once_take_little_memory() -> None:
    async def scene() -> list[Attempt]:
        async with serving(repeating(HEAD + b"\r\n", b"x" * 65_536)) as server:
            module = HTTPModule(max_body_bytes=4 * MEGABYTE)
            tries = (probe_http(module, server.url(), around(20, wants_body=False)) for _ in range(20))
            return await asyncio.gather(*tries)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert {made.reason for made in asyncio.run(scene())} == {"size"}
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 40


def test_certificates_that_are_refused_still_tell_when_they_end(tmp_path: Path) -> None:
    tls = TLSOptions(ca_file=trust_file(tmp_path))

    async def ask(options: TLSOptions, name: str, expired: bool = False) -> Attempt:
        async with answering(response(), server_context(name, expired=expired)) as server:
            return await probe_http(HTTPModule(tls=options), server.url(scheme="https", host="localhost"), around())

    async def scene() -> tuple[Attempt, ...]:
        return (
            await ask(tls, "localhost", expired=True),
            await ask(TLSOptions(), "localhost"),
            await ask(tls, "other.example.com"),
            await ask(TLSOptions(verify=False), "localhost", expired=True),
        )

    expired, unknown, misnamed, unverified = asyncio.run(scene())
    assert (expired.reason, "expired" in expired.detail) == ("certificate", True)
    assert expired.answer.certificate_ends_at is not None
    assert expired.answer.certificate_ends_at.year == 2020
    assert (unknown.reason, "issuer" in unknown.detail) == ("certificate", True)
    assert unknown.answer.certificate_ends_at is not None
    assert (misnamed.reason, "Hostname mismatch" in misnamed.detail) == ("certificate", True)
    assert unverified.reason == ""
    assert unverified.answer.certificate_ends_at == expired.answer.certificate_ends_at
    names = [sample.name for sample in unverified.samples]
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" not in names


def test_tls_with_a_plain_server_and_an_unreadable_trust_file_fail_for_different_reasons(tmp_path: Path) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(response(status="400 Bad Request"))

    async def scene() -> tuple[Attempt, Attempt, Attempt]:
        async with serving(refuse) as plain:
            url = plain.url(scheme="https")
            missing = HTTPModule(tls=TLSOptions(ca_file=str(tmp_path / "none.pem")))
            (tmp_path / "no.pem").write_text("no certificate")
            broken = HTTPModule(tls=TLSOptions(ca_file=str(tmp_path / "no.pem")))
            return (
                await probe_http(HTTPModule(), url, around()),
                await probe_http(missing, url, around()),
                await probe_http(broken, url, around()),
            )

    plain, missing, broken = asyncio.run(scene())
    assert (plain.reason, plain.is_fault) == ("tls", False)
    assert (missing.reason, missing.is_fault) == ("tls", True)
    assert missing.detail == "none.pem: No such file or directory"
    assert (broken.reason, broken.is_fault) == ("tls", True)


def test_a_server_that_wants_a_client_certificate_gets_it(tmp_path: Path) -> None:
    client = authority().issue_cert("prober@example.com")
    file = tmp_path / "client.pem"
    client.private_key_and_cert_chain_pem.write_to_path(str(file))
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    ca = trust_file(tmp_path)

    async def scene() -> tuple[Attempt, Attempt]:
        async with answering(response(), context) as server:
            url = server.url(scheme="https", host="localhost")
            with_it = HTTPModule(tls=TLSOptions(ca_file=ca, certificate_file=str(file)))
            return (
                await probe_http(with_it, url, around()),
                await probe_http(HTTPModule(tls=TLSOptions(ca_file=ca)), url, around()),
            )

    allowed, refused = asyncio.run(scene())
    assert (allowed.reason, allowed.detail) == ("", "")
    assert refused.reason in ("tls", "connection")


def _reset_stream(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.reset_stream(stream, error_code=11)


def _go_away(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.close_connection(error_code=2)


def _flood_headers(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200"), *((f"x-{n}", "y" * 900) for n in range(100))])


def _endless(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200")])
    for _ in range(60):
        connection.send_data(stream, b"x" * 16_384)


def _announce(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200"), ("content-length", "10737418240")])


def _no_status(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.config.validate_outbound_headers = False
    connection.send_headers(stream, [("x", "y")])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_reset_stream, "connection"),
        (_go_away, "connection"),
        (_flood_headers, "size"),
        (_endless, "size"),
        (_announce, "size"),
        (_no_status, "protocol"),
    ],
)
def test_http_2_that_goes_wrong_ends_with_its_reason(
    answer: Callable[[h2.connection.H2Connection, int], None], reason: str, tmp_path: Path
) -> None:
    tls = TLSOptions(ca_file=trust_file(tmp_path))

    async def scene() -> Attempt:
        async with serving(http2(answer), server_context(protocols=("h2",))) as server:
            url = server.url(scheme="https", host="localhost")
            return await probe_http(HTTPModule(tls=tls, max_body_bytes=500_000), url, around())

    made = asyncio.run(scene())
    assert made.reason == reason, made.detail


def test_secrets_that_are_missing_or_break_a_header_are_faults_of_the_prober_and_not_repeated() -> None:
    module = HTTPModule(headers=(("X-Token", "${env:TOKEN}"),))

    async def scene() -> tuple[Attempt, Attempt]:
        async with answering(response()) as server:
            return (
                await probe_http(module, server.url(), around()),
                await probe_http(module, server.url(), around(variables={"TOKEN": "s3cret\r\nX-Evil: 1"})),
            )

    missing, broken = asyncio.run(scene())
    assert (missing.reason, missing.is_fault) == ("variable", True)
    assert missing.detail == "the environment variable TOKEN is not set"
    assert (broken.reason, broken.is_fault) == ("request", True)
    assert "s3cret" not in broken.detail


def test_a_try_that_is_cancelled_leaves_no_socket_behind() -> None:
    async def scene() -> None:
        async with serving(saying(b"", then="stay")) as server:
            trial = asyncio.create_task(probe_http(HTTPModule(), server.url(), around(60)))
            while server.connections == 0:
                await asyncio.sleep(0.001)
            trial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await trial

    before = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(scene())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_every_bad_target_ends_within_its_time() -> None:
    began = time.monotonic()
    made = tried(repeating(HEAD + b"Content-Length: 100000\r\n\r\n", b"x", 0.001), seconds=SHORT)
    assert made.reason == "timeout"
    assert sum(timing.seconds for timing in made.timings) <= time.monotonic() - began
