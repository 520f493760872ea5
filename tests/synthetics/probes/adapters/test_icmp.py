"""ICMP echoes: to loopback where this machine permits it, and what is said where it does not."""

import errno
import socket
import struct

import pytest

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.icmp import _checksum, _Echo, _open, probe_icmp
from synthetics.probes.adapters.resolving import Address
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import ICMPModule, IPFamily
from tests.synthetics.probes.adapters.outside import SHORT_SECONDS, around, gauges, phases, run


def _permitted(family: socket.AddressFamily) -> bool:
    try:
        made, _ = _open(Address("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), socket.socket)
    except ProbeFailed:
        return False
    made.close()
    return True


needs_permission = pytest.mark.skipif(
    not (_permitted(socket.AF_INET) and _permitted(socket.AF_INET6)), reason="this machine permits no ICMP to us"
)


@needs_permission
@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", 4), ("::1", 6), ("[::1]", 6)])
def test_a_host_that_answers_is_well(host: str, family: int) -> None:
    attempt = run(lambda: probe_icmp(ICMPModule(), host, around()))
    assert (attempt.reason, attempt.detail) == ("", "")
    assert phases(attempt) == ["resolve", "setup", "rtt"]
    found = gauges(attempt)
    assert set(found) == {
        "probe_dns_lookup_time_seconds", "probe_ip_protocol", "probe_ip_addr_hash", "probe_icmp_reply_hop_limit",
        'probe_icmp_duration_seconds{phase="resolve"}', 'probe_icmp_duration_seconds{phase="setup"}',
        'probe_icmp_duration_seconds{phase="rtt"}',
    }  # fmt: skip
    assert found["probe_ip_protocol"] == family
    assert found["probe_icmp_reply_hop_limit"] == 64


@needs_permission
@pytest.mark.parametrize("size", [0, 1, 28, 1400, 60_000])
def test_payloads_of_any_size_go_and_come(size: int) -> None:
    assert run(lambda: probe_icmp(ICMPModule(payload_bytes=size), "127.0.0.1", around())).reason == ""


@needs_permission
def test_many_at_once_do_not_take_each_others_replies() -> None:
    import asyncio

    async def main() -> list[Attempt]:
        return list(await asyncio.gather(*(probe_icmp(ICMPModule(), "127.0.0.1", around()) for _ in range(50))))

    assert {attempt.reason for attempt in run(main)} == {""}


@needs_permission
def test_what_is_too_large_to_go_in_one_piece_is_a_failure() -> None:
    module = ICMPModule(payload_bytes=65_530, dont_fragment=True)
    attempt = run(lambda: probe_icmp(module, "127.0.0.1", around(SHORT_SECONDS)))
    assert (attempt.reason, attempt.is_fault) == ("size", False)


def _refusing(code: int) -> object:
    def make(family: int, kind: int, protocol: int) -> socket.socket:
        raise OSError(code, "no")

    return make


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES])
def test_without_permission_it_is_our_fault_and_the_way_out_is_told(code: int) -> None:
    attempt = run(lambda: probe_icmp(ICMPModule(), "127.0.0.1", around(), _refusing(code)))  # type: ignore[arg-type]
    assert (attempt.reason, attempt.is_fault) == ("permission", True)
    assert "net.ipv4.ping_group_range" in attempt.detail
    assert "CAP_NET_RAW" in attempt.detail
    assert phases(attempt) == ["resolve", "setup"]


def test_a_machine_without_descriptors_is_our_fault() -> None:
    attempt = run(lambda: probe_icmp(ICMPModule(), "127.0.0.1", around(), _refusing(errno.EMFILE)))  # type: ignore[arg-type]
    assert (attempt.reason, attempt.is_fault) == ("connect", True)


@pytest.mark.parametrize("target", ["", "a b", "http://example.com/"])
def test_a_target_that_is_none_is_our_fault(target: str) -> None:
    attempt = run(lambda: probe_icmp(ICMPModule(), target, around()))
    assert (attempt.reason, attempt.is_fault) == ("target", True)


def test_a_host_without_an_address_of_the_family_is_a_failure() -> None:
    attempt = run(lambda: probe_icmp(ICMPModule(ip_family=IPFamily.IPV6), "127.0.0.1", around()))
    assert (attempt.reason, attempt.is_fault) == ("dns", False)


def _reply(echo: _Echo, **changes: bytes) -> bytes:
    parts = {"head": b"\0\0", "checksum": b"\0\0", "identity": echo.request[4:6], "body": echo.request[6:]} | changes
    return b"".join(parts[name] for name in ("head", "checksum", "identity", "body"))


def test_only_the_reply_to_our_own_request_is_one() -> None:
    echo, other = (_Echo.new(Address("192.0.2.1", 0), 28, is_raw=False) for _ in range(2))
    assert echo.is_answered_by(_reply(echo))
    assert echo.is_answered_by(_reply(echo, identity=b"\1\1"))  # the kernel's own id
    assert not echo.is_answered_by(_reply(other))
    assert not echo.is_answered_by(_reply(echo, head=b"\3\0"))
    assert not echo.is_answered_by(_reply(echo, body=echo.request[6:-1]))
    assert not echo.is_answered_by(b"")
    raw = _Echo.new(Address("192.0.2.1", 0), 28, is_raw=True)
    header = b"\x46" + b"\0" * 23  # 24 bytes: with an option
    assert raw.is_answered_by(header + _reply(raw))
    assert not raw.is_answered_by(header + _reply(raw, identity=b"\1\1"))
    assert not raw.is_answered_by(b"")


def test_checksums_are_those_of_rfc_1071() -> None:
    assert _checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2  # the RFC's own example
    request = _Echo.new(Address("192.0.2.1", 0), 7, is_raw=True).request
    assert _checksum(request[:2] + b"\0\0" + request[4:]) == struct.unpack("!H", request[2:4])[0]
