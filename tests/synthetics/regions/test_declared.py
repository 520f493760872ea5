"""Region as users write it."""

from datetime import timedelta

import pytest

from controlplane.specfile import Declared, SourceFile, json_schema, read
from synthetics.probes.kinds import KINDS as PROBE_KINDS
from synthetics.probes.modules import HTTPModule, TCPModule
from synthetics.regions.declared import declared
from synthetics.regions.kinds import KINDS
from synthetics.regions.model import Region

GOOD = """\
apiVersion: flyball.dev/v1
kind: Region
metadata: {name: eu}
spec:
  displayName: Europe
  location: Frankfurt
  selfCheck:
    target: https://www.example.com/
    interval: 20s
  resolve:
    "www.intelgraph.example:443": 192.0.2.10:8443
    "api.intelgraph.example:443": "[2001:db8::1]:443"
  silentAfter: 90s
"""


def declared_in(*texts: str) -> Declared[Region]:
    files = [SourceFile(f"{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    result = read(files, (*KINDS, *PROBE_KINDS))
    found = declared(result.documents)
    return Declared(found.values, (*result.problems, *found.problems))


def shown(found: Declared[Region]) -> list[str]:
    return [f"{each.line}:{each.column} {each.field}: {each.message}" for each in found.problems]


def test_a_region_says_what_was_written_and_what_was_left_out() -> None:
    found = declared_in(GOOD)
    assert found.problems == ()
    (region,) = found.values
    assert (region.name, region.title, region.location) == ("eu", "Europe", "Frankfurt")
    assert region.silent_after == timedelta(seconds=90)
    assert region.resolve == (
        ("api.intelgraph.example:443", "[2001:db8::1]:443"),
        ("www.intelgraph.example:443", "192.0.2.10:8443"),
    )
    own = region.self_check
    assert own is not None
    assert (own.name, own.target, own.module_name, own.regions) == (
        "eu",
        "https://www.example.com/",
        "http_2xx",
        ("eu",),
    )
    assert isinstance(own.module, HTTPModule)
    assert (own.interval, own.timeout) == (timedelta(seconds=20), timedelta(seconds=5))


def test_nothing_but_a_name_is_needed() -> None:
    found = declared_in("apiVersion: flyball.dev/v1\nkind: Region\nmetadata: {name: us-east-1}\n")
    assert found.problems == ()
    assert found.values == (Region("us-east-1"),)
    assert found.values[0].title == "us-east-1"


def test_a_self_check_may_ask_by_a_module_of_its_own() -> None:
    module = "apiVersion: flyball.dev/v1\nkind: ProbeModule\nmetadata: {name: own}\nspec: {http: {method: HEAD}}\n"
    for target, text, kind in (
        ("1.1.1.1:53", "", TCPModule),
        ("https://www.example.com/", "own", HTTPModule),
    ):
        changed = GOOD.replace("https://www.example.com/", target)
        changed = changed.replace("interval: 20s", f"module: {text}" if text else "interval: 20s")
        found = declared_in(changed, module)
        assert found.problems == ()
        assert found.values[0].self_check
        assert isinstance(found.values[0].self_check.module, kind)


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("{name: eu}", "{name: EU_1}", "3:18 metadata.name: `EU_1` is not a name"),
        ("silentAfter: 90s", "silentAfter: soon", "13:16 spec.silentAfter: `soon` is not a length"),
        ("silentAfter: 90s", "silentAfter: 10s", "13:16 spec.silentAfter: must be between 20s and 60m"),
        ("interval: 20s", "interval: 1h", "9:15 spec.selfCheck.interval: must be between 1s and 5m"),
        ("interval: 20s", "interval: 2s", "spec.selfCheck.timeout: longer than the interval"),
        ("interval: 20s", "module: http_2x", "9:13 spec.selfCheck.module: no module is called `http_2x`"),
        ("interval: 20s", "module: tcp_connect", "8:13 spec.selfCheck.target: a URL, where a host is asked"),
        ("https://www.example.com/", "https://me:hunter2@www.example.com/", "8:13 spec.selfCheck.target: a secret"),
        ('"www.intelgraph.example:443"', "www.intelgraph.example", ": `www.intelgraph.example` is not host:port"),
        (
            "192.0.2.10:8443",
            "elsewhere:443",
            '11:35 spec.resolve["www.intelgraph.example:443"]: not an IP address and a port',
        ),
        (
            "192.0.2.10:8443",
            "192.0.2.10",
            '11:35 spec.resolve["www.intelgraph.example:443"]: `192.0.2.10` is not host:port',
        ),
        ("location:", "place:", "spec.place: "),
    ],
)
def test_each_mistake_is_told_at_its_place(written: str, instead: str, problem: str) -> None:
    assert written in GOOD
    found = declared_in(GOOD.replace(written, instead))
    assert found.values == ()
    (line,) = shown(found)
    assert problem in line
    assert "hunter2" not in line


def test_there_is_a_schema_for_editors() -> None:
    schema = json_schema(KINDS)
    assert "silentAfter" in str(schema)
