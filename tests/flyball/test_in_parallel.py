from pathlib import Path

import pytest

from controlplane.adapters.files import read_folder
from controlplane.problems import in_order
from controlplane.rulefile import to_yaml
from controlplane.specfile import SourceFile, read
from flyball.in_parallel import processors, rule_texts, understand
from flyball.kinds import KINDS
from slo.compiler import CompileOptions, compile_rules
from slo.resolve import slos_from
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file
from tests.slo.dialects.test_sloth import WINDOWS
from tests.slo.reading import an_slo_file

EXAMPLES = Path(__file__).parents[2] / "examples/intelgraph"
REFERRED_TO = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {description: ""}
"""
POLICY = """\
apiVersion: flyball.dev/v1
kind: SLOPolicy
metadata: {{name: {}}}
spec: {{select: {{slos: ['{}']}}, absent: {}}}
"""


def files(*texts: str) -> list[SourceFile]:
    return [SourceFile(f"{index:02d}.yaml", text.encode()) for index, text in enumerate(texts)]


def a_sloth(number: int) -> str:
    return a_sloth_file(name=f"n{number}")


def several(count: int = 12) -> list[str]:
    return [an_slo_file(name=f"slo-{index}", objectives="[{target: 0.99}, {target: 0.9}]") for index in range(count)]


@pytest.mark.parametrize(
    "given",
    [
        read_folder(EXAMPLES)[0],
        files(*several()),
        files(REFERRED_TO, *several()),
        files(*several(), an_slo_file(name="bad", objectives="[{target: 1}]")),
        files(*several(), several()[0]),
        files(*several(), an_slo_file(name="slo-3", objectives="[{target: 0.5}, {target: 0.6}]")),
        files(REFERRED_TO.replace("shop", "ship"), *several()),
        files(*several(), "a: ["),
        files(POLICY.format("one", "slo-1*", "page"), *several(), POLICY.format("two", "slo-11-99", "ignore")),
        files(POLICY.format("one", "slo-1*", "page"), *several(), POLICY.format("two", "slo-*", "ignore")),
        files(*several(6), *map(a_sloth, range(6)), *(a_pyrra_file(name=f"p{name}") for name in "abc")),
        files(*map(a_sloth, range(12)), a_sloth(3)),
        files(*map(a_sloth, range(12)), WINDOWS % "7d"),
    ],
    ids=[
        "example",
        "plain",
        "service",
        "mistake",
        "same",
        "same-name",
        "unknown-service",
        "broken",
        "policies",
        "contradiction",
        "dialects",
        "same-sloth",
        "sloth-windows",
    ],
)
def test_many_processors_find_what_one_finds(given: list[SourceFile]) -> None:
    result = read(given, KINDS)
    resolved = slos_from(result.documents)
    with processors(given, large_bytes=0) as (run, count):
        problems, slos = understand(given, run, count)
        texts = rule_texts(slos, CompileOptions(shared_above=5), run)
    assert problems == in_order([*result.problems, *resolved.problems])
    assert slos == resolved.slos
    assert texts == {file.name: to_yaml(file) for file in compile_rules(resolved.slos, CompileOptions(shared_above=5))}


def test_small_workspaces_start_no_process() -> None:
    with processors(files(*several())) as (run, count):
        assert run is map
        assert count == 1
