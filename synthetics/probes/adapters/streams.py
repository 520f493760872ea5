"""One TCP connection, plain or TLS: read and written as the protocol asks, nothing read ahead, nothing buffered."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from synthetics.probes.adapters.failures import ProbeFailed, connecting_failed, handshake_failed
from synthetics.probes.adapters.resolving import Address

CHUNK: Final = 65_536
_HANDSHAKE_PIECE: Final = 8192
_MOST_HANDSHAKE: Final = 512 * 1024
_BREATH: Final = 4  # pieces
T = TypeVar("T")
_IN_PROGRESS: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Stream:
    """A connection. The caller bounds the time (`asyncio.timeout`) and closes it in every case."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._tls: _TLS | None = None

    @staticmethod
    async def connect(address: Address) -> "Stream":
        """Connect. Raises ProbeFailed (`connect`)."""
        try:
            made = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as error:
            raise connecting_failed(error, str(address)) from None
        stream = Stream(made)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = made.connect_ex((address.ip, address.port))
            if code in _IN_PROGRESS and not _is_connected(made):
                await stream._ready(writing=True)
                code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            elif code in _IN_PROGRESS:
                code = 0
            if code:
                raise OSError(code, os.strerror(code))
        except OSError as error:
            stream.close()
            raise connecting_failed(error, str(address)) from None
        except BaseException:
            stream.close()
            raise
        return stream

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS side of it: its version, certificates, ALPN."""
        return self._tls.inner if self._tls else None

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLObject:
        """Shake hands. Raises ProbeFailed (`certificate`, `tls`), from CertificateRefused where a chain was shown."""
        self.prepare_tls(context, server_name)
        return await self.shake_hands()

    def prepare_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """What comes before a handshake and sends nothing: not the target's time. Raises ProbeFailed."""
        try:
            self._tls = _TLS(context, server_name)
        except ValueError:
            raise ProbeFailed("tls", f"`{server_name}` cannot be a server name") from None
        except OSError as error:
            raise handshake_failed(error) from None

    async def shake_hands(self) -> ssl.SSLObject:
        """The handshake itself, prepared before. Raises as `start_tls`."""
        assert self._tls is not None
        try:
            await self._through(self._tls, self._tls.inner.do_handshake)
        except OSError as error:
            with suppress(OSError):
                await self._write_plain(self._tls.outgoing.read())  # why we refuse
            raise handshake_failed(error) from error
        self._tls.has_shaken = True
        return self._tls.inner

    async def read(self, most: int = CHUNK) -> bytes:
        """What is there, at most so much; empty at the end. OSError when the connection breaks."""
        if self._tls is None:
            return await self._read_plain(most)
        try:
            return await self._through(self._tls, partial(self._tls.inner.read, most))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):  # many servers hang up without TLS's own goodbye
            return b""

    async def write(self, data: bytes) -> None:
        """Send all of it. OSError when the connection breaks."""
        if self._tls is None:
            await self._write_plain(data)
            return
        for start in range(0, len(data), CHUNK):
            await self._through(self._tls, partial(self._tls.inner.write, data[start : start + CHUNK]))

    async def _through(self, tls: "_TLS", work: Callable[[], T]) -> T:
        """Do it, carrying what TLS wants to read and write.

        OpenSSL is given one piece at a time: on a socket of its own it would not come back from messages that it may
        pass over, as long as they come in faster than it reads them, and no other probe would run.
        """
        while True:
            try:
                found = work()
            except ssl.SSLWantReadError:
                await self._write_plain(tls.outgoing.read())
                await tls.take(await self._read_plain(tls.piece))
            else:
                await self._write_plain(tls.outgoing.read())
                return found

    async def _read_plain(self, most: int) -> bytes:
        while True:
            try:
                return self._socket.recv(most)
            except BlockingIOError:
                await self._ready(writing=False)

    async def _write_plain(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await self._ready(writing=True)

    def close(self) -> None:
        """At once; what is under way is lost."""
        self._socket.close()

    async def _ready(self, *, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        number = self._socket.fileno()
        add(number, _wake, woken)
        try:
            await woken
        finally:
            remove(number)


class _TLS:
    """TLS between two buffers."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.inner = context.wrap_bio(self._incoming, self.outgoing, server_hostname=server_name)
        self.has_shaken = False
        self._pieces = 0
        self._bytes = 0

    @property
    def piece(self) -> int:
        """How much OpenSSL is given at once."""
        return CHUNK if self.has_shaken else _HANDSHAKE_PIECE

    async def take(self, data: bytes) -> None:
        """What came in; other probes have their turn when much comes. Raises ProbeFailed for an endless handshake."""
        self._pieces += 1
        self._bytes += len(data)
        if not self.has_shaken and self._bytes > _MOST_HANDSHAKE:
            raise ProbeFailed("tls", f"it sends more than {_MOST_HANDSHAKE:,} bytes, and no end of the TLS handshake")
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if self._pieces % _BREATH == 0:
            await asyncio.sleep(0)


def _is_connected(made: socket.socket) -> bool:
    """A connection within one machine stands at once: no need to wait for the loop."""
    try:
        made.getpeername()
    except OSError:
        return False
    return True


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
