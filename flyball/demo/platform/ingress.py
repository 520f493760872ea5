"""Where IntelGraph is reached: in each region one plain and one TLS port on loopback, and one for its event stream."""

import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from controlplane.ports import Clock
from flyball.demo.platform import echo
from flyball.demo.platform.app import HOST, IntelGraphApp
from flyball.demo.platform.app_http import AppRequest, AppResponse, as_json
from flyball.demo.platform.authority import Certificates
from flyball.demo.platform.live import LivePlatform

LOOPBACK: Final = "127.0.0.1"
REGIONS: Final = ("eu", "us", "ap")
CUT_OFF: Final = "us"  # whose ingress the fault `region` takes
STREAM_HOST: Final = "stream.intelgraph.example"
STREAM_PORT: Final = 7000
BANNER: Final = b"220 IntelGraph event stream\r\n"
_MAX_BODY: Final = 64 * 1024
_PATIENCE_SECONDS: Final = 30
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


@dataclass(frozen=True, slots=True)
class Ingress:
    """The ports of one region on loopback."""

    region: str
    http_port: int
    tls_port: int
    stream_port: int

    @property
    def resolve(self) -> dict[str, str]:
        """What the names of the platform stand for in this region, as `Region.spec.resolve` wants it."""
        return {
            f"{HOST}:80": f"{LOOPBACK}:{self.http_port}",
            f"{HOST}:443": f"{LOOPBACK}:{self.tls_port}",
            f"{STREAM_HOST}:{STREAM_PORT}": f"{LOOPBACK}:{self.stream_port}",
        }


@dataclass(frozen=True, slots=True)
class _Behind:
    """What every port of a region needs."""

    region: str
    app: IntelGraphApp
    platform: LivePlatform
    certificates: Certificates
    clock: Clock
    ended: threading.Event

    @property
    def is_cut_off(self) -> bool:
        return self.region == CUT_OFF and "region" in self.platform.broken()

    @property
    def context(self) -> ssl.SSLContext:
        """What is shown to those who connect now."""
        return self.certificates.short if "certificate" in self.platform.broken() else self.certificates.good


@contextmanager
def serving(
    app: IntelGraphApp,
    platform: LivePlatform,
    certificates: Certificates,
    *,
    clock: Clock,
    regions: Sequence[str] = REGIONS,
) -> Iterator[tuple[Ingress, ...]]:
    """Answer in threads until the end of the block."""
    ended = threading.Event()
    opened = {
        region: _listeners(_Behind(region, app, platform, certificates, clock, ended)) for region in regions
    }  # fmt: skip
    with _answering([listener for listeners in opened.values() for listener in listeners]):
        try:
            yield tuple(Ingress(region, *(it.port for it in listeners)) for region, listeners in opened.items())
        finally:
            ended.set()


def _listeners(behind: _Behind) -> "list[_Listener]":
    """Plain, TLS and stream, in the order of `Ingress`."""
    return [_Listener(behind, _Pages), _Listener(behind, _Pages, is_tls=True), _Listener(behind, _Stream)]


@contextmanager
def _answering(listeners: "Sequence[_Listener]") -> Iterator[None]:
    threads = [threading.Thread(target=it.serve_forever, name="ingress", daemon=True) for it in listeners]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        with ThreadPoolExecutor(len(listeners)) as pool:  # each takes up to half a second to notice
            list(pool.map(_Listener.shutdown, listeners))
        for listener in listeners:
            listener.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    """One port. A region that is cut off resets every connection, before TLS as well."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, behind: _Behind, handler: "type[_Pages | _Stream]", *, is_tls: bool = False) -> None:
        self.behind: Final = behind
        self._is_tls = is_tls
        super().__init__((LOOPBACK, 0), handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def verify_request(self, request: Any, client_address: object) -> bool:
        """Whether anybody answers."""
        if not self.behind.is_cut_off:
            return True
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        request.close()
        return False

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a client that is slow to shake hands holds nobody up."""
        request.settimeout(_PATIENCE_SECONDS)
        if not self._is_tls:
            super().finish_request(request, client_address)
            return
        with self.behind.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients come and go; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Pages(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "IntelGraph"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the signature of http.server
        """Say nothing: probes are no news."""

    def _answer(self) -> None:
        behind = self.server.behind
        if behind.is_cut_off:  # a connection that was kept open
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        met = behind.app.trouble(parts.path)
        body = self._body()
        if behind.ended.wait(met.delay_seconds) or body is None:
            self.close_connection = True
            if body is None:
                self._send(as_json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "the body is too large, or endless"}))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        if parts.path == echo.PATH and met.status is None and "websocket" in headers.get("upgrade", "").lower():
            self.close_connection = True
            echo.converse(self.connection, headers)
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        method = "GET" if self.command == "HEAD" else self.command
        request = AppRequest(method, parts.path, query, headers, body, behind.clock.now(), met.delay_seconds)
        self._send(behind.app.answer(request, met))

    def _body(self) -> bytes | None:
        """What was sent; None when it is too much or its length is not known."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > _MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _send(self, response: AppResponse) -> None:
        self.send_response(response.status)
        for name, value in response.all_headers():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


class _Stream(socketserver.StreamRequestHandler):
    """Says who it is and answers PING: something for a TCP probe to talk to."""

    server: _Listener

    def handle(self) -> None:
        self.wfile.write(BANNER)
        for _ in range(100):
            line = self.rfile.readline(1024).strip().upper()
            if line in (b"", b"QUIT"):
                return
            self.wfile.write(b"PONG\r\n" if line == b"PING" else b"ERR unknown\r\n")
