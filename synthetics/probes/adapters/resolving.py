"""Names to addresses: a step of its own, timed, bounded, and pinned where a region has an ingress of its own."""

import asyncio
import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from controlplane.model.check import CheckSample
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.hosts_file import HostsFile
from synthetics.probes.addresses import split_host_port as split_host_port
from synthetics.probes.modules import IPFamily

MOST_LOOKUPS: Final = 64  # at once; the system's resolver takes a thread for each
_STUCK_SECONDS: Final = 1.0
_IPV4, _IPV6 = socket.AF_INET, socket.AF_INET6
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193  # FNV-1a's 32-bit constants, as Go's hash/fnv has them
_GONE: Final = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect. `is_pinned`: no name was looked up, the prober was told."""

    ip: str
    port: int
    is_pinned: bool = False

    @property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return _IPV6 if ":" in self.ip else _IPV4

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


async def resolve(host: str, port: int, family: IPFamily, pins: Mapping[str, str], seconds: float) -> Address:
    """The one address to ask, as blackbox_exporter chooses it: the first of the wanted family.

    ANY is IPv6, or IPv4 where the name or this machine has no IPv6. `pins` are those of `Surroundings.resolve`.
    Ends within `seconds`. Raises ProbeFailed (`dns`): a fault of the prober when so many names are being looked up
    that this one's turn did not come.
    """
    pinned = pins.get(f"{host}:{port}") or pins.get(f"[{host}]:{port}")
    if pinned:
        return Address(*split_host_port(pinned, port), is_pinned=True)
    literal = _literal(host)
    found = [literal] if literal is not None else _HOSTS.addresses(host) or await looked_up(_LOOKUPS, host, seconds)
    return _chosen(host, found, port, family)


async def looked_up(lookups: "Lookups", host: str, seconds: float) -> list[str]:
    """Addresses of a name, by the system's resolver. Raises ProbeFailed, as `resolve`."""
    lookup = lookups.submit(host)
    done, _ = await asyncio.wait({asyncio.wrap_future(lookup)}, timeout=max(seconds, 0))
    if not done:
        if lookup.cancel():
            raise ProbeFailed("dns", "this prober waits for too many other names", is_fault=True)
        raise ProbeFailed("dns", f"no name server answered for `{host}` in {seconds:.3g} s")
    try:
        return done.pop().result()
    except socket.gaierror as error:
        raise _unknown(host, error) from None
    except UnicodeError:
        raise ProbeFailed("dns", f"`{host}` cannot be a name") from None


def address_samples(address: Address | None, lookup_seconds: float) -> tuple[CheckSample, ...]:
    """What blackbox_exporter tells of every target: the family, a hash that changes with the address, and the time.

    Without an address the first two are 0, as there.
    """
    family = 0 if address is None else 6 if address.family == _IPV6 else 4
    return (
        CheckSample("probe_ip_protocol", family),
        CheckSample("probe_ip_addr_hash", 0 if address is None else ip_hash(address.ip)),
        CheckSample("probe_dns_lookup_time_seconds", lookup_seconds),
    )


def ip_hash(ip: str) -> float:
    """FNV-1a of the address's bytes, 32 bits, as blackbox_exporter computes it."""
    value = _FNV_OFFSET
    for byte in ipaddress.ip_address(ip.partition("%")[0]).packed:
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return float(value)


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _chosen(host: str, found: list[str], port: int, family: IPFamily) -> Address:
    newer, older = ([ip for ip in found if (":" in ip) is is_newer] for is_newer in (True, False))
    if family is IPFamily.IPV4:
        wanted = older
    elif family is IPFamily.IPV6:
        wanted = newer
    else:
        wanted = newer if newer and (not older or _has_route(newer[0])) else older
    if not wanted:
        raise ProbeFailed("dns", f"`{host}` has no {'IPv4' if family is IPFamily.IPV4 else 'IPv6'} address")
    return Address(wanted[0], port)


def _has_route(ip: str) -> bool:
    """Whether this machine knows a way there; connecting UDP sends nothing."""
    try:
        with socket.socket(_IPV6, socket.SOCK_DGRAM) as trial:
            trial.connect((ip, 9))
    except OSError:
        return False
    return True


def _unknown(host: str, error: socket.gaierror) -> ProbeFailed:
    if error.errno in _GONE:
        return ProbeFailed("dns", f"there is no address for `{host}`")
    if error.errno == socket.EAI_AGAIN:
        return ProbeFailed("dns", f"the name server gave no answer for `{host}`")
    return ProbeFailed("dns", f"`{host}` is not found: {error.strerror}")


@dataclass(eq=False, slots=True)
class Lookup:
    """A name on its way."""

    host: str
    future: "Future[list[str]]"
    begun_at: float = 0.0


class Lookups:
    """The system's resolver in daemon threads: it cannot be interrupted, and must not keep the process from ending.

    Who asks for a name that has been looked up for a second already waits for the same answer: a name that is never
    answered takes one thread, not one for each try.
    """

    def __init__(
        self, most: int, look_up: Callable[[Lookup], None] | None = None, stuck_seconds: float = _STUCK_SECONDS
    ) -> None:
        self._most = most
        self._look_up = look_up or _look_up
        self._stuck_seconds = stuck_seconds
        self._waiting: queue.SimpleQueue[Lookup] = queue.SimpleQueue()
        self._running: dict[str, Lookup] = {}
        self._threads = 0
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, host: str) -> "Future[list[str]]":
        """Addresses in the system's order, once each; socket.gaierror or UnicodeError."""
        with self._lock:
            running = self._running.get(host)
            if running is not None and time.monotonic() - running.begun_at > self._stuck_seconds:
                return running.future
            lookup = Lookup(host, Future())
            self._waiting.put(lookup)
            if self._idle < self._waiting.qsize() and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name="resolve", daemon=True).start()
        return lookup.future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            lookup = self._waiting.get()
            with self._lock:
                self._idle -= 1
                if not lookup.future.set_running_or_notify_cancel():
                    continue
                lookup.begun_at = time.monotonic()
                self._running[lookup.host] = lookup
            self._look_up(lookup)
            with self._lock:
                if self._running.get(lookup.host) is lookup:
                    del self._running[lookup.host]


def _look_up(lookup: Lookup) -> None:
    try:
        found = socket.getaddrinfo(lookup.host, None, type=socket.SOCK_STREAM)
    except BaseException as error:  # noqa: BLE001 -- it is raised where the result is awaited
        lookup.future.set_exception(error)
    else:
        lookup.future.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in found)))


_LOOKUPS: Final = Lookups(MOST_LOOKUPS)
_HOSTS: Final = HostsFile()
