"""Servers that probes meet: well-behaved ones and others, on free loopback ports; and what a try may leave behind."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import trustme

from synthetics.probes.attempt import Attempt, Surroundings

T = TypeVar("T")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"
SHORT_SECONDS = 0.15  # for targets that keep a try waiting to its end
LONG_SECONDS = 10.0  # for targets that answer, on a machine that is busy
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def around(seconds: float = LONG_SECONDS, **changes: Any) -> Surroundings:
    """A try's surroundings."""
    return Surroundings(**({"now": NOW, "timeout_seconds": seconds, "traceparent": TRACEPARENT} | changes))


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it, and hold it to leaving no task, file or socket behind, and no thread but those that look up names."""
    files, threads = _open_files(), _threads()

    async def held() -> T:
        result = await main()
        for _ in range(200):  # a server may just be accepting
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if not left:
                return result
            await asyncio.sleep(0.005)
        raise AssertionError(left)

    result = asyncio.run(held())
    assert _open_files() <= files
    assert _threads() <= threads
    return result


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name != "resolve"}


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A TCP server; its `host:port`. What still talks at the end is cut off."""
    tasks: set[asyncio.Task[None]] = set()
    is_over = False

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        if is_over:
            writer.transport.abort()
            return
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        is_over = True
        for task in list(tasks):
            task.cancel()
        while tasks:
            await asyncio.wait(set(tasks))
        await asyncio.sleep(0.005)  # transports tell their protocols that they are closed


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""
    await asyncio.sleep(1000)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hang up at once, with an RST."""
    import socket
    import struct

    made = writer.get_extra_info("socket")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close in peace, without a word."""
    writer.close()
    await writer.wait_closed()


async def half_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that nothing more will come, and stay."""
    writer.write_eof()
    await asyncio.sleep(1000)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Noise, whatever is asked."""
    writer.write(bytes(range(256)) * 8)
    await writer.drain()
    await asyncio.sleep(1000)


def saying(*said: bytes, stays: bool = True) -> Handler:
    """Say these things at once."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in said:
            writer.write(each)
        await writer.drain()
        if stays:
            await asyncio.sleep(1000)
        writer.close()

    return say


def endless(piece: bytes, first: bytes = b"") -> Handler:
    """Say the same again and again, for ever."""

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        much = piece * (100_000 // len(piece) + 1)
        while True:
            writer.write(much)
            await writer.drain()
            await asyncio.sleep(0)

    return pour


@asynccontextmanager
async def answering(answer: Callable[[bytes], list[bytes]]) -> AsyncIterator[str]:
    """A UDP server: what it sends for a datagram; its `host:port`."""

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            for each in answer(data):
                self.transport.sendto(each, addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Answering, local_addr=("127.0.0.1", 0))
    try:
        yield "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Certificates:
    """What servers show, each as a context; `ca_file` is believed."""

    ca_file: str
    good: ssl.SSLContext
    expired: ssl.SSLContext
    wrong_name: ssl.SSLContext
    self_signed: ssl.SSLContext
    wants_client: ssl.SSLContext
    client_file: str
    ends_at: datetime
    key: bytes
    chain: bytes


@cache
def certificates() -> Certificates:
    """Made once for all tests."""
    folder = Path(mkdtemp(prefix="flyball-tests-"))
    ca, other = trustme.CA(), trustme.CA()
    ends_at = NOW.replace(microsecond=0) + timedelta(days=3650)
    good = ca.issue_cert("localhost", "127.0.0.1", not_after=ends_at)
    before = datetime(2020, 1, 1, tzinfo=UTC)
    expired = ca.issue_cert("localhost", "127.0.0.1", not_before=before, not_after=before + timedelta(days=30))
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    client = ca.issue_cert("prober@example.com")
    client.private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    wants_client = _context(good)
    wants_client.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(wants_client)
    return Certificates(
        ca_file=str(folder / "ca.pem"),
        good=_context(good),
        expired=_context(expired),
        wrong_name=_context(ca.issue_cert("elsewhere.example.com")),
        self_signed=_context(other.issue_cert("localhost", "127.0.0.1")),
        wants_client=wants_client,
        client_file=str(folder / "client.pem"),
        ends_at=ends_at,
        key=good.private_key_pem.bytes(),
        chain=b"".join(each.bytes() for each in good.cert_chain_pems),
    )


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def gauges(attempt: Attempt) -> dict[str, float]:
    """Samples as `name` or `name{label="value"}`."""
    found: dict[str, float] = {}
    for sample in attempt.samples:
        labels = ",".join(f'{name}="{value}"' for name, value in sample.labels)
        found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    assert len(found) == len(attempt.samples)
    return found


def phases(attempt: Attempt) -> list[str]:
    """Names of the timings, in order."""
    assert all(timing.seconds >= 0 for timing in attempt.timings)
    return [timing.name for timing in attempt.timings]
