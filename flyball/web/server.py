"""Serves the application: uvicorn in process, with bounds on slow and many clients, stopped by an event of ours."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any, Final

import h11
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from controlplane.ports import Permanent
from flyball.settings import ListenAddress
from flyball.web.bodies import json_error
from flyball.web.guards import MAX_HEADER_BYTES, SECURITY_HEADERS

MAX_CONNECTIONS: Final = 256  # one more is answered 503
HEADER_SECONDS: Final = 10.0  # from the connection, or from an answer, to the last header of the next request
RETRY_SECONDS: Final = "5"
KEEP_ALIVE_SECONDS: Final = 75  # longer than Alertmanager and Prometheus pause between two requests
STOP_SECONDS: Final = 8
_BACKLOG: Final = 512


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on a client whose request headers take longer than `HEADER_SECONDS`.

    What it refuses before the application sees it, it refuses in JSON, as everything else of ours.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self.app = _overloaded
        self._expect_headers()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and close."""
        refusal = _refusal(400, msg or "the request is not HTTP/1.1 as we read it")
        head = h11.Response(status_code=400, headers=[*refusal.raw_headers, (b"connection", b"close")])
        for event in (head, h11.Data(data=bytes(refusal.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Some bytes came; if they do not complete the headers, the clock that began with the first goes on."""
        super().data_received(data)
        if self._in_request():
            self._headers_arrived()
        elif self._late is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._headers_arrived()
        super().connection_lost(exc)

    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_headers(self) -> None:
        self._late = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def _headers_arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _hang_up(self) -> None:
        self._late = None
        if not self._in_request() and not self.transport.is_closing():
            self.transport.abort()


async def _overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to a connection too many, which it ends."""
    headers = {"Retry-After": RETRY_SECONDS, "Connection": "close"}
    await _refusal(503, "too many connections; try again", headers)(scope, receive, send)


def _refusal(code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_error(code, message, headers=SECURITY_HEADERS | (headers or {}))


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again after its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


class WebServer:
    """One listening socket and the application behind it."""

    def __init__(self, app: ASGIApp, listen: ListenAddress) -> None:
        self._socket = _listening(listen)
        self.address = ListenAddress(listen.host, int(self._socket.getsockname()[1]))
        self._server = _Server(_config(app))

    def run(self) -> None:
        """Serve until `stop`; running requests get `STOP_SECONDS` to end."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Accept no more and let `run` return. Safe in signal handlers and other threads."""
        self._server.should_exit = True


def _config(app: ASGIApp) -> uvicorn.Config:
    options: dict[str, Any] = {
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "off",
        "loop": "asyncio",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": _BACKLOG,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
    }
    return uvicorn.Config(app, **options)


def _listening(listen: ListenAddress) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise Permanent(f"cannot listen on {listen}: {error.strerror}") from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise Permanent(f"cannot listen on {listen}: {error.strerror}") from error
    return listening
