"""`flyball check`, `schema` and `init`, as a shell sees them."""

import json
import subprocess
import sys
from contextlib import chdir
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from typer.testing import CliRunner

from flyball.cli import app, commands  # noqa: F401 -- registers the commands
from tests.conftest import ROOT

MINIMAL = ROOT / "examples" / "minimal"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def flyball(*arguments: str, cwd: Path) -> Done:
    """The command line in this process, with `cwd` for its working directory."""
    with chdir(cwd):
        result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    assert flyball("init", cwd=tmp_path).returncode == 0
    return tmp_path


def test_a_right_workspace_is_one_sentence(workspace: Path) -> None:
    done = flyball("check", cwd=workspace)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 SLO of 1 service in 2 files: no problems\n", "")


def test_the_reference_platform_is_right() -> None:
    done = flyball("check", "examples/intelgraph", "--format", "json", cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stdout


def test_every_problem_of_every_file_is_printed_at_once(workspace: Path) -> None:
    slo = workspace / "slo.yaml"
    text = slo.read_text().replace("displayName: Shop\n", "displayNam: Shop\n")
    slo.write_text(
        text.replace(
            'query: http_requests_total{job="shop"}',
            "query: |\n                sum(\n                  rat(x[5m])\n                )",
        )
    )
    (workspace / "tab.yaml").write_text("a:\n\tb: 1\n")
    (workspace / "latin.yml").write_bytes(b"a: caf\xe9\n")
    done = flyball("check", cwd=workspace)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if ".y" in line] == [
        "latin.yml:1:7: byte 0xe9 is not UTF-8  [encoding]",
        "slo.yaml:7:3: metadata.displayNam: unknown field `displayNam`, did you mean `displayName`?  [unknown-field]",
        "slo.yaml:39:19: spec.indicator.spec.ratioMetric.total.metricSource.spec.query: "
        "unknown function `rat`  [promql-syntax]",
        "tab.yaml:2:1: a tab where only spaces may indent  [tab]",
    ]
    assert "  39 |                   rat(x[5m])\n     |                   ^^^\n" in done.stdout
    assert done.stdout.endswith("\n4 problems in 3 files\n")
    assert done.stderr == ""


def test_promql_is_checked_beside_a_mistyped_field_and_nothing_follows_from_that(workspace: Path) -> None:
    slo = workspace / "slo.yaml"
    text = slo.read_text().replace("  timeWindow:", "  timeWindw:")
    slo.write_text(text.replace('query: http_requests_total{job="shop"}', "query: rat(x)"))
    done = flyball("check", cwd=workspace)
    assert [line for line in done.stdout.splitlines() if line.startswith("slo.yaml")] == [
        "slo.yaml:37:22: spec.indicator.spec.ratioMetric.total.metricSource.spec.query: "
        "unknown function `rat`  [promql-syntax]",
        "slo.yaml:38:3: spec.timeWindw: unknown field `timeWindw`, did you mean `timeWindow`?  [unknown-field]",
    ]


def test_json_and_github_say_the_same(workspace: Path) -> None:
    (workspace / "bad.yaml").write_text("apiVersion: openslo/v2\nkind: SLO\n")
    done = flyball("check", "--format", "json", cwd=workspace)
    (problem,) = json.loads(done.stdout)
    assert (problem["path"], problem["line"], problem["column"]) == ("bad.yaml", 1, 13)
    assert done.returncode == 1
    done = flyball("check", "--format", "github", cwd=workspace)
    assert done.stdout.startswith(
        "::error file=bad.yaml,line=1,col=13,endColumn=23,title=unknown-kind::apiVersion: unknown"
    )
    assert done.returncode == 1
    (workspace / "bad.yaml").unlink()
    done = flyball("check", "--format", "json", cwd=workspace)
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr == "1 SLO of 1 service in 2 files: no problems\n"


def test_paths_that_hold_nothing_are_problems(workspace: Path) -> None:
    (workspace / "empty").mkdir()
    done = flyball("check", "nowhere", "empty", "slo.yaml", cwd=workspace)
    assert done.returncode == 1
    assert "nowhere:1:1: no such file or folder  [unreadable]\n" in done.stdout
    assert "empty:1:1: no *.yaml or *.yml files here  [nothing-to-check]\n" in done.stdout
    assert done.stdout.endswith("2 problems in 2 files\n")


def test_a_file_named_twice_is_read_once(workspace: Path) -> None:
    assert flyball("check", ".", "slo.yaml", cwd=workspace).returncode == 0


def test_values_of_settings_are_checked_and_passwords_not_shown(workspace: Path) -> None:
    settings = workspace / "flyball.yaml"
    settings.write_text(settings.read_text().replace("http://127.0.0.1:9093", "http://joe:geheim@127.0.0.1:x"))
    done = flyball("check", cwd=workspace)
    assert done.returncode == 1
    assert "spec.alertmanager.url" in done.stdout
    assert "geheim" not in done.stdout + done.stderr


def test_colour_comes_only_when_asked_for(workspace: Path) -> None:
    (workspace / "bad.yaml").write_text("a: @\n")
    assert "\x1b" not in flyball("check", cwd=workspace).stdout
    assert "\x1b[" in flyball("check", "--colour", cwd=workspace).stdout


def test_init_writes_the_minimal_example(tmp_path: Path) -> None:
    done = flyball("init", "new/place", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "new/place/flyball.yaml\nnew/place/slo.yaml\n")
    assert "flyball check new/place" in done.stderr
    written = {path.name: path.read_bytes() for path in (tmp_path / "new" / "place").iterdir()}
    assert written == {path.name: path.read_bytes() for path in MINIMAL.iterdir()}


def test_the_minimal_example_is_what_the_package_ships() -> None:
    shipped = {entry.name: entry.read_bytes() for entry in files("flyball").joinpath("templates/minimal").iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in MINIMAL.iterdir()}


def test_init_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text("mine")
    done = flyball("init", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "slo.yaml is already there; nothing was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["slo.yaml"]


def test_init_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = flyball("init", "file/inner", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "file/inner: not a directory\n"


def references(schema: object) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*(references(value) for value in schema.values()))
    return set().union(*(references(item) for item in schema)) if isinstance(schema, list) else set()


def test_the_schema_covers_every_kind_and_every_reference_leads_somewhere(tmp_path: Path) -> None:
    schema = json.loads(flyball("schema", cwd=tmp_path).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"SLO", "Service", "Workspace"} <= set(schema["properties"]["kind"]["enum"])
    assert references(schema) <= {"#", *(f"#/$defs/{name}" for name in schema["$defs"])}
    slo = schema["$defs"]["openslo.v1.SLO"]
    assert {"apiVersion", "kind", "metadata", "spec"} <= set(slo["properties"])
    assert slo["additionalProperties"] is False


def test_the_schema_of_one_kind_and_of_a_kind_that_is_none(tmp_path: Path) -> None:
    schema = json.loads(flyball("schema", "--kind", "Workspace", cwd=tmp_path).stdout)
    assert schema["properties"]["kind"]["enum"] == ["Workspace", "List"]
    done = flyball("schema", "--kind", "Workspce", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean Workspace?" in done.stderr


def test_a_shell_gets_the_exit_status(workspace: Path) -> None:
    (workspace / "bad.yaml").write_text("a: @\n")
    command = [sys.executable, "-m", "flyball", "check", "bad.yaml"]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "bad.yaml:1:4: text cannot begin with `@`  [yaml-syntax]\n  1 | a: @\n    |    ^\n    = put it in quotes\n"
        "\n1 problem in 1 file\n"
    )


def test_the_minimal_example_has_the_kinds_that_it_shows() -> None:
    kinds = [document["kind"] for document in yaml.safe_load_all((MINIMAL / "slo.yaml").read_text())]
    assert kinds == ["Service", "SLO"]
