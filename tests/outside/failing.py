"""An HTTP server for tests that answers as its subclass says, and fails on command."""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol, Self

LONGEST_HOLD_SECONDS: Final = 30.0  # of a request that gets no answer
_DRIP_SECONDS: Final = 0.05
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class CertificateHolder(Protocol):
    """A certificate of `trustme`."""

    def configure_cert(self, ctx: ssl.SSLContext, /) -> None:
        """Make it that of a server."""
        ...


class Failure(Enum):
    """What goes wrong with a request. Only `LOST_ANSWER` does what was asked."""

    TIMEOUT = "timeout"  # nothing comes back
    TOO_MANY = "too many"  # 429, with Retry-After
    SERVER_ERROR = "server error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    REFUSED = "refused"  # 400
    RESET = "reset"  # the connection is reset before anything is done
    LOST_ANSWER = "lost answer"  # it is done, then the connection is reset
    SLOW_HEAD = "slow head"  # status and headers come byte by byte, without end
    SLOW_BODY = "slow body"  # so does the body
    GARBAGE = "garbage"  # 200, and a body that is no JSON


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; header names are in lower case."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes back; a body that is not bytes goes as JSON."""

    status: int
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class FailingServer:
    """Listens on a free port of loopback while it is entered. Subclasses say in `answer` what a request gets.

    `answer` runs under a lock, one request at a time, so it may keep its state in plain attributes. `fail` is for the
    next requests, `fail_always` for all until `recover`; `only` picks those that it is for. `tls`: it speaks HTTPS.
    """

    def __init__(self, *, tls: CertificateHolder | None = None) -> None:
        self._tls = tls
        self.asked: list[Asked] = []  # every request that came, failed ones too
        self.lock = threading.RLock()
        self._next: deque[tuple[Failure, Callable[[Asked], bool]]] = deque()
        self._always: tuple[Failure, Callable[[Asked], bool]] | None = None
        self.retry_after = 1  # seconds, or text as it stands in the header
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def answer(self, asked: Asked) -> Answered:
        """What a request gets that does not fail."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        assert self._server is not None, "the server is not entered"
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, *failures: Failure, only: Callable[[Asked], bool] = lambda asked: True) -> None:
        """The next requests fail so, one each, in this order."""
        with self.lock:
            self._next.extend((failure, only) for failure in failures)

    def fail_always(self, failure: Failure, *, only: Callable[[Asked], bool] = lambda asked: True) -> None:
        """Every request fails so until `recover`."""
        with self.lock:
            self._always = failure, only

    def recover(self) -> None:
        """Nothing fails from now on; who waits for an answer gets none."""
        with self.lock:
            self._always = None
            self._next.clear()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"outside": self}))
        self._server.daemon_threads = True
        if self._tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.configure_cert(context)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._server is not None
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def taken(self, asked: Asked) -> tuple[Failure | None, Answered | None]:
        """How a request fails, if it does, and its answer, if it is given one."""
        with self.lock:
            self.asked.append(asked)
            failure = self._failure(asked)
            if failure in (None, Failure.LOST_ANSWER):
                return failure, self.answer(asked)
            return failure, _FAILED.get(failure) or Answered(429, {}, {"Retry-After": str(self.retry_after)})

    def hold(self) -> None:
        """Wait until the server ends, within bounds."""
        self._ended.wait(LONGEST_HOLD_SECONDS)

    def drips(self) -> Iterator[None]:
        """A turn for each byte of a slow answer, within bounds."""
        for _ in range(int(LONGEST_HOLD_SECONDS / _DRIP_SECONDS)):
            if self._ended.wait(_DRIP_SECONDS):
                return
            yield

    def _failure(self, asked: Asked) -> Failure | None:
        if self._next and self._next[0][1](asked):
            return self._next.popleft()[0]
        if self._always and self._always[1](asked):
            return self._always[0]
        return None


_FAILED: Final = {
    Failure.SERVER_ERROR: Answered(500, {"error": "told to"}),
    Failure.UNAVAILABLE: Answered(503, {"error": "told to"}),
    Failure.REFUSED: Answered(400, {"error": "told to"}),
    Failure.GARBAGE: Answered(200, b"<html>not what you asked for"),
    **dict.fromkeys((Failure.TIMEOUT, Failure.RESET, Failure.SLOW_HEAD, Failure.SLOW_BODY), Answered(200)),
}


class _Handler(BaseHTTPRequestHandler):
    outside: FailingServer
    protocol_version = "HTTP/1.1"
    timeout = LONGEST_HOLD_SECONDS
    disable_nagle_algorithm = True  # head and body go apart: each answer would wait 40 ms for an acknowledgement

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        failure, answered = self.outside.taken(Asked(self.command, self.path, headers, body))
        if failure is Failure.TIMEOUT:
            self.outside.hold()
        if failure in (Failure.TIMEOUT, Failure.RESET, Failure.LOST_ANSWER):
            self._reset()
        elif answered is not None:
            self._reply(answered, failure)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - names of the base class

    def _reply(self, answered: Answered, failure: Failure | None) -> None:
        content = answered.content()
        if failure is Failure.SLOW_HEAD:
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000)
            return
        self.send_response(answered.status)
        headers = {"Content-Type": "application/json"} | dict(answered.headers)
        if failure is Failure.SLOW_BODY:
            content = b" " * 10_000
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if failure is Failure.SLOW_BODY:
            self._drip(content)
        else:
            self.wfile.write(content)

    def _drip(self, content: bytes) -> None:
        self.close_connection = True
        with suppress(OSError):
            for byte, _ in zip(content, self.outside.drips(), strict=False):
                self.wfile.write(bytes([byte]))
                self.wfile.flush()

    def _reset(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def served(server: FailingServer) -> Iterator[FailingServer]:
    """The server while it listens, for fixtures."""
    with server:
        yield server
