"""Sockets that know when to stop: an httpcore network backend under a deadline.

Timeouts of HTTP clients bound each read alone; an answer that comes drop by drop would take for ever.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final

import httpcore

_Found = list[tuple[Any, ...]] | OSError
_MOST_ADDRESSES: Final = 4


class Deadline:
    """Until when what a thread does must have ended; the earliest of those that are open."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """For the block; an earlier deadline outside it stays."""
        outer: float | None = getattr(self._local, "at", None)
        at = time.monotonic() + seconds
        self._local.at = at if outer is None else min(outer, at)
        try:
            yield
        finally:
            self._local.at = outer

    def left(self) -> float:
        """Seconds that are left. Raises `httpcore.TimeoutException` when there are none."""
        at: float | None = getattr(self._local, "at", None)
        left = 0.0 if at is None else at - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("the time is over")
        return left


class InTime(httpcore.NetworkBackend):
    """Connects, and waits for nothing longer than is left of the thread's deadline; the name look-up too."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """The first address of the name that takes the connection."""
        del timeout
        options = list(socket_options or ())
        failed: Exception = httpcore.ConnectError("the name has no address")
        for address in self._addresses(host, port)[:_MOST_ADDRESSES]:
            try:
                left = self._deadline.left()
                stream = self._inner.connect_tcp(address, port, left, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self._deadline)
        raise failed

    def _addresses(self, host: str, port: int) -> list[str]:
        """In a thread of its own: the system's resolver takes its time, and cannot be stopped."""
        found: SimpleQueue[_Found] = SimpleQueue()

        def look_up() -> None:
            try:
                found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
            except OSError as error:
                found.put(error)

        threading.Thread(target=look_up, name="flag-store-name", daemon=True).start()
        try:
            answer = found.get(timeout=self._deadline.left())
        except Empty:
            raise httpcore.ConnectTimeout("its name is looked up for too long") from None
        if isinstance(answer, OSError):
            raise httpcore.ConnectError(answer.strerror or "its name is not known")
        return [str(entry[4][0]) for entry in answer]


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
