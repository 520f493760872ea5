"""ICMP echo, where the system permits it: with a socket for everybody (Linux's ping_group_range), or a raw one."""

import asyncio
import errno
import itertools
import os
import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from synthetics.probes.adapters.failures import ProbeFailed, connecting_failed
from synthetics.probes.adapters.resolving import Address
from synthetics.probes.adapters.trials import RESOLVE, Trial, tried
from synthetics.probes.attempt import Attempt, Surroundings
from synthetics.probes.modules import ICMPModule

_SETUP: Final = "setup"
_RTT: Final = "rtt"
_WAITED_FOR: Final = {_RTT: "the reply"}
_MOST: Final = 65_535
_TEXT: Final = b"Flyball's probe; see its documentation. "
_NONCE_BYTES: Final = 8
# Linux's numbers, which Python's socket module does not have in 3.11.
_IP_MTU_DISCOVER, _IP_RECVERR, _IP_RECVTTL = 10, 11, 12
_IPV6_MTU_DISCOVER, _IPV6_RECVERR = 23, 25
_PMTUDISC_DO: Final = 2
_SOL_RAW, _ICMP_FILTER = 255, 1
_NOT_PERMITTED: Final = (errno.EPERM, errno.EACCES)
_NO_SUCH_SOCKET: Final = (*_NOT_PERMITTED, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)
_NO_WAY: Final = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED, errno.EPROTO)
_HOW: Final = (
    "this prober may not send ICMP: allow its group with the sysctl net.ipv4.ping_group_range, or give it CAP_NET_RAW"
)
_numbers: Final = itertools.count(os.getpid())
MakeSocket = Callable[[int, int, int], socket.socket]


async def probe_icmp(
    module: ICMPModule, target: str, around: Surroundings, make_socket: MakeSocket = socket.socket
) -> Attempt:
    """Send one echo request. The target is a host."""
    trial = Trial(around, _WAITED_FOR)
    work = partial(_run, module, target, trial, make_socket)
    return await tried(trial, work, lambda: _tell_phases(trial))


def _tell_phases(trial: Trial) -> None:
    for phase in (RESOLVE, _SETUP, _RTT):
        trial.tell("probe_icmp_duration_seconds", trial.took(phase), phase=phase)


async def _run(module: ICMPModule, target: str, trial: Trial, make_socket: MakeSocket) -> None:
    host = target.strip()
    if not host or "/" in host or any(character.isspace() for character in host):
        raise ProbeFailed("target", f"`{target}` is no host", is_fault=True)
    address = await trial.resolve(host.removeprefix("[").removesuffix("]"), 0, module.ip_family)
    trial.enter(_SETUP)
    made, is_raw = _open(address, make_socket)
    try:
        try:
            _prepare(made, address, module, is_raw=is_raw)
        except OSError as error:
            raise connecting_failed(error, address.ip) from None
        echo = _Echo.new(address, module.payload_bytes, is_raw=is_raw)
        async with trial.limit("the reply was awaited"):
            trial.enter(_RTT)
            _send(made, echo.request, address)
            hops = await _reply(made, echo)
            trial.enter("")
    finally:
        made.close()
    if hops is not None:
        trial.tell("probe_icmp_reply_hop_limit", hops)


def _open(address: Address, make_socket: MakeSocket) -> tuple[socket.socket, bool]:
    """A socket, and whether it is raw. Raises ProbeFailed."""
    protocol = socket.IPPROTO_ICMPV6 if address.family == socket.AF_INET6 else socket.IPPROTO_ICMP
    flags = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        return make_socket(address.family, socket.SOCK_DGRAM | flags, protocol), False
    except OSError as error:
        if error.errno not in _NO_SUCH_SOCKET:
            raise connecting_failed(error, address.ip) from None
    try:
        return make_socket(address.family, socket.SOCK_RAW | flags, protocol), True
    except OSError as error:
        if error.errno in _NOT_PERMITTED:
            raise ProbeFailed("permission", _HOW, is_fault=True) from None
        raise connecting_failed(error, address.ip) from None


def _prepare(made: socket.socket, address: Address, module: ICMPModule, *, is_raw: bool) -> None:
    if address.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, module.ttl)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        if module.dont_fragment:
            made.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_DO)
    else:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, module.ttl)
        made.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
        made.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        if module.dont_fragment:
            made.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DO)
        if is_raw:  # nothing but echo replies: a busy machine has other ICMP
            made.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", ~(1 << 0) & 0xFFFFFFFF))
    made.connect((address.ip, 0))  # so that only the target's own packets come in


@dataclass(frozen=True, slots=True)
class _Echo:
    """A request, and how its reply is known. The kernel gives sockets for everybody an id of its own."""

    request: bytes
    reply_type: int
    body: bytes  # number and payload
    identity: bytes | None
    has_ip_header: bool

    @staticmethod
    def new(address: Address, payload_bytes: int, *, is_raw: bool) -> "_Echo":
        is_newer = address.family == socket.AF_INET6
        number = next(_numbers)
        identity = struct.pack("!H", number & 0xFFFF)
        payload = (secrets.token_bytes(_NONCE_BYTES) + _TEXT * (payload_bytes // len(_TEXT) + 1))[:payload_bytes]
        body = struct.pack("!H", number >> 16 & 0xFFFF) + payload
        head = struct.pack("!BB", 128 if is_newer else 8, 0)
        # The kernel computes ICMPv6's checksum, for it covers the addresses.
        checksum = 0 if is_newer else _checksum(head + b"\0\0" + identity + body)
        request = head + struct.pack("!H", checksum) + identity + body
        return _Echo(request, 129 if is_newer else 0, body, identity if is_raw else None, is_raw and not is_newer)

    def is_answered_by(self, packet: bytes) -> bool:
        """Whether it is the reply."""
        if self.has_ip_header:
            packet = packet[(packet[0] & 0x0F) * 4 if packet else 0 :]
        if len(packet) < 6 or packet[0] != self.reply_type:
            return False
        return packet[6:] == self.body and self.identity in (None, packet[4:6])


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _send(made: socket.socket, request: bytes, address: Address) -> None:
    try:
        made.send(request)
    except OSError as error:
        if error.errno == errno.EMSGSIZE:
            raise ProbeFailed("size", "the packet is larger than the way there takes in one piece") from None
        raise connecting_failed(error, address.ip) from None


async def _reply(made: socket.socket, echo: _Echo) -> int | None:
    """Wait for the reply; how many hops it had left."""
    while True:
        try:
            packet, ancillary, _, _ = made.recvmsg(_MOST, 256)
        except BlockingIOError:
            await _readable(made)
            continue
        except OSError as error:
            if error.errno in _NO_WAY:
                raise ProbeFailed("unreachable", f"a router says: {error.strerror}") from None
            raise
        if echo.is_answered_by(packet):
            return _hops(ancillary)
        await asyncio.sleep(0)  # a flood of other packets must not hold up other probes


def _hops(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        is_hops = (level, kind) in (
            (socket.IPPROTO_IP, socket.IP_TTL),
            (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT),
        )
        if is_hops and len(data) >= 4:
            return int.from_bytes(data[:4], "little" if struct.pack("=H", 1)[0] else "big")
    return None


async def _readable(made: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()
    loop.add_reader(made.fileno(), _wake, woken)
    try:
        await woken
    finally:
        loop.remove_reader(made.fileno())


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
