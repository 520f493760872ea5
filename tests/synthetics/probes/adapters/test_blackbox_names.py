"""Our gauges beside those of Debian's blackbox_exporter, on the same targets: the same names, labels and values."""

import asyncio
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import dns.message
import dns.rrset
import httpx
import pytest
from grpc_health.v1._async import HealthServicer

from synthetics.probes.adapters.dns import probe_dns
from synthetics.probes.adapters.grpc import probe_grpc
from synthetics.probes.adapters.icmp import probe_icmp
from synthetics.probes.adapters.tcp import probe_tcp
from synthetics.probes.attempt import Attempt
from synthetics.probes.modules import DNSModule, GRPCModule, ICMPModule, IPFamily, QueryStep, TCPModule, TLSOptions
from tests.synthetics.probes.adapters.outside import answering, around, certificates, gauges, nothing, saying, serving
from tests.synthetics.probes.adapters.test_grpc import grpc_server
from tests.synthetics.probes.adapters.test_icmp import needs_permission

MODULES: Final = """
modules:
  connect: {{prober: tcp, timeout: 2s, tcp: {{preferred_ip_protocol: ip4}}}}
  banner:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, query_response: [{{expect: "^SSH-(2).0"}}]}}
  never:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, query_response: [{{expect: "^never$"}}]}}
  secure:
    prober: tcp
    timeout: 2s
    tcp: {{preferred_ip_protocol: ip4, tls: true, tls_config: {{ca_file: {ca}}}}}
  soa:
    prober: dns
    timeout: 2s
    dns: {{preferred_ip_protocol: ip4, query_name: example.com, query_type: SOA}}
  strict:
    prober: dns
    timeout: 2s
    dns:
      preferred_ip_protocol: ip4
      query_name: example.com
      query_type: A
      validate_answer_rrs: {{fail_if_none_matches_regexp: ["\\tIN\\tA\\t192\\\\.0\\\\.2\\\\.7$"]}}
  gone: {{prober: dns, timeout: 1s, dns: {{preferred_ip_protocol: ip4, query_name: gone.example.com, query_type: A}}}}
  health: {{prober: grpc, timeout: 2s, grpc: {{preferred_ip_protocol: ip4}}}}
  unknown: {{prober: grpc, timeout: 2s, grpc: {{preferred_ip_protocol: ip4, service: unknown}}}}
  echo: {{prober: icmp, timeout: 2s, icmp: {{preferred_ip_protocol: ip4}}}}
"""
TIMES: Final = re.compile(r"_seconds(\{|$)")
WHOLE: Final = ("probe_success", "probe_duration_seconds")


@pytest.fixture(scope="module")
def blackbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of its /probe."""
    program = shutil.which("prometheus-blackbox-exporter")
    assert program, "prometheus-blackbox-exporter is not installed: run `make setup`"
    folder: Path = tmp_path_factory.mktemp("blackbox")
    config = folder / "modules.yml"
    config.write_text(MODULES.format(ca=certificates().ca_file))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log").open("wb") as log:
        command = [program, f"--config.file={config}", f"--web.listen-address={address}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(1000):
            try:
                httpx.get(f"http://{address}/-/healthy")
                break
            except httpx.TransportError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.01)
        yield f"http://{address}/probe"
    finally:
        process.terminate()
        process.wait()


async def theirs(url: str, module: str, target: str) -> tuple[bool, dict[str, float]]:
    """Whether it was content, and its gauges."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(url, params={"module": module, "target": target}, timeout=20)).text
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found["probe_success"] == 1, {name: value for name, value in found.items() if name not in WHOLE}


def assert_same(attempt: Attempt, other: tuple[bool, dict[str, float]], *, but: frozenset[str] = frozenset()) -> None:
    """The same gauges; the same values, times aside."""
    is_well, told = other
    assert (attempt.reason == "") is is_well, attempt
    ours = gauges(attempt)
    bare = {name.partition("{")[0] if "ssl_last_chain_info" in name else name for name in ours}
    others = {name.partition("{")[0] if "ssl_last_chain_info" in name else name for name in told}
    assert bare - but == others - but
    for name, value in told.items():
        if name in ours and not TIMES.search(name) and name not in but:
            assert ours[name] == value, name


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("connect", TCPModule(ip_family=IPFamily.IPV4)),
        ("banner", TCPModule(steps=(QueryStep(expect="^SSH-(2).0"),))),
        ("never", TCPModule(steps=(QueryStep(expect="^never$"),))),
    ],
)
def test_tcp(blackbox: str, name: str, module: TCPModule) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        async with serving(saying(b"SSH-2.0-OpenSSH\r\n", stays=False)) as target:
            return await probe_tcp(module, target, around()), await theirs(blackbox, name, target)

    assert_same(*asyncio.run(main()))


def test_tcp_over_tls(blackbox: str) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        made = certificates()
        async with serving(nothing, made.good) as target:
            module = TCPModule(TLSOptions(ca_file=made.ca_file))
            return await probe_tcp(module, target, around()), await theirs(blackbox, "secure", target)

    assert_same(*asyncio.run(main()))


def _zone(wire: bytes) -> list[bytes]:
    asked = dns.message.from_wire(wire)
    said = dns.message.make_response(asked)
    name = asked.question[0].name.to_text()
    if name.startswith("gone"):
        said.set_rcode(3)
        said.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "SOA", "ns. admin. 7 1 1 1 1"))
    elif asked.question[0].rdtype == 6:
        said.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", "ns. admin. 2026113001 7200 3600 1209600 300"))
    else:
        said.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1", "192.0.2.7"))
    return [said.to_wire()]


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("soa", DNSModule("example.com", "SOA")),
        ("strict", DNSModule("example.com", answer_must_match=(r"\tIN\tA\t192\.0\.2\.7$",))),
        ("gone", DNSModule("gone.example.com")),
    ],
)
def test_dns(blackbox: str, name: str, module: DNSModule) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        async with answering(_zone) as target:
            return await probe_dns(module, target, around()), await theirs(blackbox, name, target)

    assert_same(*asyncio.run(main()))


def test_dns_that_never_answers(blackbox: str) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        async with answering(lambda _: []) as target:
            attempt = await probe_dns(DNSModule("gone.example.com"), target, around(0.15))
            return attempt, await theirs(blackbox, "gone", target)

    assert_same(*asyncio.run(main()))


@pytest.mark.parametrize(("name", "service"), [("health", ""), ("unknown", "unknown")])
def test_grpc(blackbox: str, name: str, service: str) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        async with grpc_server(HealthServicer()) as target:
            return await probe_grpc(GRPCModule(service), target, around()), await theirs(blackbox, name, target)

    # 0.23 tells of plain connections that their certificate ended in 1970; newer ones do not.
    assert_same(*asyncio.run(main()), but=frozenset({"probe_ssl_earliest_cert_expiry"}))


@needs_permission
def test_icmp(blackbox: str) -> None:
    async def main() -> tuple[Attempt, tuple[bool, dict[str, float]]]:
        return await probe_icmp(ICMPModule(), "127.0.0.1", around()), await theirs(blackbox, "echo", "127.0.0.1")

    assert_same(*asyncio.run(main()))
