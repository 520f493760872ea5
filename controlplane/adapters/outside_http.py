"""POST to addresses that others gave us: only to public ones, over TLS, without redirects, small and in time.

The name is resolved once, every answer is checked, and the connection goes to an address that was checked: a name that
answers differently the second time (DNS rebinding) gains nothing.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from controlplane.ports import Permanent, Transient
from controlplane.sending_ports import OutsideAnswer

DEADLINE_SECONDS: Final = 8.0  # for all of it: the outbox holds a message for 15 s
MOST_BYTES: Final = 16 * 1024  # of an answer
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Outside:
    """Implements `OutsideHttp`. `allows_private`: also addresses that are not public, and http on loopback."""

    allows_private: bool = False
    deadline_seconds: float = DEADLINE_SECONDS
    tls: ssl.SSLContext | None = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutsideAnswer:
        """The answer, whatever its status. `Permanent` for an address that is not allowed, `Transient` for a fault."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = self._checked(parts, host, port)
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = _Secure(host, port, address, self._tls_context(), self._step)
        else:
            connection = _Plain(host, port, address, self._step)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        return self._exchange(connection, path, body, headers)

    @property
    def _step(self) -> float:
        return max(self.deadline_seconds / 2, 0.1)

    def _tls_context(self) -> ssl.SSLContext:
        return self.tls or _system_trust()

    def _checked(self, parts: SplitResult, host: str, port: int) -> str:
        """An address of the host to which we may go."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Transient(f"the host of a webhook is not found: {type(error).__name__}") from None
        addresses = [str(each[4][0]).partition("%")[0] for each in found]
        if not addresses:
            raise Transient("the host of a webhook has no address")
        if not self.allows_private and not all(is_public(each) for each in addresses):
            raise Permanent("the host of a webhook has an address that is not public")
        is_loopback = all(ipaddress.ip_address(each).is_loopback for each in addresses)
        if parts.scheme != "https" and not (self.allows_private and is_loopback):
            raise Permanent("webhooks are sent over https only")
        return addresses[0]

    def _exchange(
        self, connection: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
    ) -> OutsideAnswer:
        """Once, without following anything; a peer that dawdles is cut off when the time is up."""
        cut = threading.Event()

        def cut_off() -> None:
            cut.set()
            sock = connection.sock
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

        watchdog = threading.Timer(self.deadline_seconds, cut_off)
        watchdog.daemon = True
        watchdog.start()
        try:
            with closing(connection):
                connection.request("POST", path, body=body, headers=dict(headers))
                response = connection.getresponse()
                content = response.read(MOST_BYTES)
                status, lines = response.status, {name.lower(): value for name, value in response.getheaders()}
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = "it took too long" if cut.is_set() or isinstance(error, TimeoutError) else type(error).__name__
            raise Transient(f"a webhook did not answer: {reason}") from None
        finally:
            watchdog.cancel()
        if cut.is_set():
            raise Transient("a webhook did not answer: it took too long")
        return OutsideAnswer(status, content, lines)


@lru_cache(maxsize=1)
def _system_trust() -> ssl.SSLContext:
    """The certificates that this system trusts; read once."""
    return ssl.create_default_context()


def is_public(text: str) -> bool:
    """Whether the address is one of the public internet; what wraps an IPv4 address is judged by that one."""
    address: _Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if wrapped is None and address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


class _Plain(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, address: str, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        """To the address that was checked."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Secure(http.client.HTTPSConnection):
    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        """To the address that was checked, which must prove to be the host."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
