"""Check, compile and the daemon tell the same problems, and none that only follows from another."""

import json
from contextlib import chdir
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flyball.cli.commands  # noqa: F401
from controlplane.adapters.files import read_folder
from controlplane.specfile import SourceFile
from flyball.cli import app
from flyball.examining import examine
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from slo.lint import BY_NAME as LINT_RULES
from tests.slo.reading import an_slo_file

SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\n"
OTHER = "---\n" + SERVICE.replace("shop", "other")
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: 'x{code="500"}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: x}}}
"""
BY_REFERENCE = (
    "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: shop\n  indicatorRef: requests\n"
    "  timeWindow: [{duration: 30d, isRolling: true}]\n  objectives: [{target: 0.999}]\n"
)
# Files that are wrong, and how many problems there are.
WRONG = {
    "PromQL beside a mistyped field": ({"a.yaml": an_slo_file(bad="rat(x[5m])", more="  servic: x")}, 2),
    "a service with an unknown field": ({"a.yaml": an_slo_file(), "b.yaml": SERVICE + "spec: {x: 1}\n" + OTHER}, 1),
    "a service whose document is no YAML": ({"a.yaml": an_slo_file(), "b.yaml": SERVICE + "spec: {\n" + OTHER}, 1),
    "a service with a key twice": ({"a.yaml": an_slo_file(), "b.yaml": SERVICE + "kind: Service\n" + OTHER}, 1),
    "an SLI with an unknown field": ({"a.yaml": BY_REFERENCE, "b.yaml": SLI + "  markdown: true\n"}, 1),
    "an SLI whose document is no YAML": ({"a.yaml": BY_REFERENCE, "b.yaml": SLI + "  ]\n"}, 1),
    "an SLI with an item of a wrong type": (
        {"a.yaml": BY_REFERENCE, "b.yaml": SLI.replace("{name: requests}", "{name: requests, labels: {a: [[]]}}")},
        1,
    ),
    "an SLI that is nowhere": ({"a.yaml": BY_REFERENCE}, 1),
    "a service that is nowhere, beside a broken file": ({"a.yaml": an_slo_file(), "b.yaml": "{\n" + OTHER}, 2),
}


@pytest.mark.parametrize("name", WRONG)
def test_everybody_tells_the_same_problems_and_only_what_is_wrong(tmp_path: Path, name: str) -> None:
    files, count = WRONG[name]
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    with chdir(tmp_path):
        checked = CliRunner().invoke(app, ["check", "--format", "json"])
        compiled = CliRunner().invoke(app, ["compile", "--json"])
        watched = SLOWorkspace(Path(), CompileOptions()).compile()
        own = examine(read_folder(Path())[0])
    told = [
        (each["path"], each["line"], each["column"], each["message"])
        for each in json.loads(checked.stdout)
        if each["rule"] not in LINT_RULES
    ]
    assert (checked.exit_code, compiled.exit_code) == (1, 1)
    assert len(told) == count, told
    also = json.loads(compiled.stdout)["problems"]
    assert [(each["path"], each["line"], each["column"], each["message"]) for each in also] == told
    for problems in (watched.problems, own.problems):
        assert [(each.path, each.line, each.column, each.message) for each in problems] == told


def test_a_data_source_elsewhere_than_flyball_yaml_says_is_told() -> None:
    workspace = "apiVersion: flyball.dev/v1\nkind: Workspace\nspec: {prometheus: {url: http://prometheus:9090/}}\n"
    source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: %s}\n" + (
        "spec:\n  type: Prometheus\n  connectionDetails:\n  - url: %s\n"
    )
    files = [
        SourceFile("flyball.yaml", workspace.encode()),
        SourceFile("same.yaml", (source % ("same", "http://prometheus:9090")).encode()),
        SourceFile("other.yaml", (source % ("other", "http://elsewhere:9090")).encode()),
    ]
    (problem,) = examine(files).problems
    assert str(problem.position) == "other.yaml:7:10"
    assert problem.field == "spec.connectionDetails[0].url"
    assert problem.hint == "they go to the Prometheus that flyball.yaml:3:26 names"
