"""One TCP connection, plain or TLS: read and written as the protocol asks, nothing read ahead, nothing buffered."""

import asyncio
import errno
import os
import socket
import ssl
from typing import Final

from synthetics.probes.adapters.failures import ProbeFailed, connecting_failed, handshake_failed
from synthetics.probes.adapters.resolving import Address

CHUNK: Final = 65_536
_IN_PROGRESS: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Stream:
    """A connection. The caller bounds the time (`asyncio.timeout`) and closes it in every case."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket: socket.socket = connected

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
            if code in _IN_PROGRESS:
                await stream._ready(writing=True)
                code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
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
    def tls(self) -> ssl.SSLSocket | None:
        """The TLS side of it: its version, certificates, ALPN."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLSocket:
        """Shake hands. Raises ProbeFailed (`certificate`, `tls`), from CertificateRefused where a chain was shown."""
        self.prepare_tls(context, server_name)
        return await self.shake_hands()

    def prepare_tls(self, context: ssl.SSLContext, server_name: str) -> None:
        """What comes before a handshake and sends nothing: not the target's time. Raises ProbeFailed."""
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=server_name, do_handshake_on_connect=False)
        except ValueError:
            raise ProbeFailed("tls", f"`{server_name}` cannot be a server name") from None
        except OSError as error:
            raise handshake_failed(error) from None

    async def shake_hands(self) -> ssl.SSLSocket:
        """The handshake itself, prepared before. Raises as `start_tls`."""
        wrapped = self.tls
        assert wrapped is not None
        while True:
            try:
                wrapped.do_handshake()
                return wrapped
            except ssl.SSLWantReadError:
                await self._ready(writing=False)
            except ssl.SSLWantWriteError:
                await self._ready(writing=True)
            except OSError as error:
                raise handshake_failed(error) from error

    async def read(self, most: int = CHUNK) -> bytes:
        """What is there, at most so much; empty at the end. OSError when the connection breaks."""
        while True:
            try:
                return self._socket.recv(most)
            except (BlockingIOError, ssl.SSLWantReadError):
                await self._ready(writing=False)
            except ssl.SSLWantWriteError:
                await self._ready(writing=True)

    async def write(self, data: bytes) -> None:
        """Send all of it. OSError when the connection breaks."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                await self._ready(writing=True)
            except ssl.SSLWantReadError:
                await self._ready(writing=False)

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


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
