"""Names to addresses, within bounds."""

import asyncio
import threading
from pathlib import Path

import pytest

from synthetics.probes.adapters import resolving
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.hosts_file import HostsFile
from synthetics.probes.adapters.resolving import Address, ip_hash, resolve
from synthetics.probes.modules import IPFamily


def asked(host: str, port: int = 80, family: IPFamily = IPFamily.ANY, **pins: str) -> Address:
    return asyncio.run(resolve(host, port, family, {name.replace("_", ":"): at for name, at in pins.items()}, 5))


def test_addresses_need_no_lookup_and_pins_come_first() -> None:
    assert asked("127.0.0.1") == Address("127.0.0.1", 80)
    assert asked("::1", 443) == Address("::1", 443)
    assert asked("shop", 443, shop_443="10.0.0.1:8443") == Address("10.0.0.1", 8443, is_pinned=True)
    assert asked("shop", 443, shop_443="[::1]:8443") == Address("::1", 8443, is_pinned=True)
    assert str(Address("::1", 1)) == "[::1]:1"


def test_a_name_that_is_none_fails_with_dns() -> None:
    for name in ("nothing.invalid", "a" * 70 + ".example", "..", "-"):
        with pytest.raises(ProbeFailed) as failed:
            asked(name)
        assert failed.value.reason == "dns"
        assert not failed.value.is_fault


def test_the_hosts_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(path)
    assert hosts.addresses("shop") == []
    path.write_text(
        "127.0.0.1 localhost\n10.1.2.3  Shop shop.example # a comment\nfe80::1%eth0 x\nnonsense shop\n::1 shop\n"
    )
    assert hosts.addresses("SHOP.") == ["10.1.2.3", "::1"]
    assert hosts.addresses("comment") == []
    path.write_text("10.9.9.9 shop\n")
    assert hosts.addresses("shop") == ["10.9.9.9"]
    path.unlink()
    assert hosts.addresses("shop") == []


def test_a_name_server_that_never_answers_costs_its_time_and_one_thread(tmp_path: Path) -> None:
    """With lookups that hang, as the system's do: tries of one name share a thread, and end in time."""
    release = threading.Event()
    begun: list[str] = []

    def hang(lookup: resolving.Lookup) -> None:
        begun.append(lookup.host)
        release.wait(30)
        lookup.future.set_result(["10.0.0.1"])

    lookups = resolving.Lookups(2, look_up=hang, stuck_seconds=0.0)

    async def scene() -> list[ProbeFailed]:
        found = []
        for host in ("dead.example", "dead.example", "dead.example", "other.example", "third.example"):
            with pytest.raises(ProbeFailed) as failed:
                await resolving.looked_up(lookups, host, 0.05)
            found.append(failed.value)
        return found

    failures = asyncio.run(scene())
    release.set()
    assert begun == ["dead.example", "other.example"]
    assert [one.is_fault for one in failures] == [False, False, False, False, True]
    assert failures[0].detail == "no name server answered for `dead.example` in 0.05 s"
    assert failures[4].detail == "this prober waits for too many other names"


def test_the_hash_of_an_address_is_gos() -> None:
    assert ip_hash("127.0.0.1") == 3668918509
    assert ip_hash("::1") == ip_hash("0:0:0:0:0:0:0:1")
