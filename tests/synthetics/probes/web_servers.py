"""HTTP servers that behave as a test wants them to, on real sockets, in the test's own loop."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import trustme

from synthetics.probes.attempt import Surroundings

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def around(seconds: float = 5.0, **options: object) -> Surroundings:
    return Surroundings(NOW, seconds, **options)  # type: ignore[arg-type]


@dataclass
class Served:
    """A server, and the requests that it got: request line and headers, as they came."""

    port: int
    requests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Whatever the handler does, byte by byte; its tasks end with the server."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            with suppress(OSError, RuntimeError):
                writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, limit=2**20)
    served = Served(server.sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answering(
    answer: "bytes | Callable[[str, str], bytes]", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Served]:
    """Gives these bytes to each request; a function gets the path, and the whole head."""
    found: list[Served] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found[0].requests.append(head)
        length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if "content-length" in line), 0)
        found[0].bodies.append(await reader.readexactly(length))
        given = answer if isinstance(answer, bytes) else answer(head.split(" ")[1], head)
        writer.write(given)
        await writer.drain()

    async with serving(handle, tls) as served:
        found.append(served)
        yield served


def response(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    given = {"Content-Length": str(len(body)), **{name.replace("_", "-"): text for name, text in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {text}" for name, text in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def moved(location: str, status: str = "302 Found", **headers: str) -> bytes:
    return response(b"", status, Location=location, **headers)


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def trust_file(folder: Path) -> str:
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def server_context(*names: str, protocols: tuple[str, ...] = (), expired: bool = False) -> ssl.SSLContext:
    ends = {"not_after": datetime(2020, 1, 1, tzinfo=UTC), "not_before": datetime(2019, 1, 1, tzinfo=UTC)}
    certificate = authority().issue_cert(*(names or ("localhost", "127.0.0.1")), **(ends if expired else {}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def http2(answer: "Callable[[h2.connection.H2Connection, int], None]") -> Handler:
    """An HTTP/2 server: `answer` says on the connection what it wants when a request has ended."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    assert event.flow_controlled_length is not None
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 1)
                if isinstance(event, h2.events.StreamEnded):
                    assert event.stream_id is not None
                    answer(connection, event.stream_id)
            writer.write(connection.data_to_send())
            await writer.drain()

    return handle
