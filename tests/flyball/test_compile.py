import json
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from controlplane.adapters.files import MANIFEST
from flyball import output_folder
from flyball.cli import app, commands  # noqa: F401 -- registers the commands
from flyball.output_folder import write_generated
from tests.slo.reading import an_slo_file


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "checkout.yaml").write_text(an_slo_file())
    (folder / "search.yaml").write_text(an_slo_file(name="search"))
    return folder


def compiled(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["compile", str(folder), "-o", str(folder.parent / "out"), *options])


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_rules_and_dashboards_are_written_where_prometheus_and_grafana_look(workspace: Path, tmp_path: Path) -> None:
    done = compiled(workspace)
    assert done.exit_code == 0, done.output
    rules = sorted((tmp_path / "out/prometheus/rules").glob("*.yaml"))
    assert [path.name for path in rules] == ["slo-checkout.yaml", "slo-search.yaml"]
    assert yaml.safe_load(rules[0].read_text())["groups"][0]["name"] == "slo:checkout:1m"
    assert "slo-checkout.json" in [path.name for path in (tmp_path / "out/grafana").glob("*.json")]
    assert done.stdout.startswith(f"2 SLOs compiled to {tmp_path / 'out'}: ")


def test_a_second_run_changes_no_byte(workspace: Path, tmp_path: Path) -> None:
    compiled(workspace)
    before = content(tmp_path / "out")
    done = compiled(workspace, "--json")
    assert content(tmp_path / "out") == before
    answer = json.loads(done.stdout)
    assert (answer["slos"], answer["written"], answer["removed"]) == (2, [], [])
    assert answer["unchanged"] == len(before) - 1


def test_what_is_no_longer_needed_goes_and_what_is_not_ours_stays(workspace: Path, tmp_path: Path) -> None:
    compiled(workspace)
    theirs = tmp_path / "out/prometheus/rules/theirs.yaml"
    theirs.write_text("groups: []\n")
    (workspace / "search.yaml").unlink()
    answer = json.loads(compiled(workspace, "--json").stdout)
    assert "prometheus/rules/slo-search.yaml" in answer["removed"]
    assert theirs.exists()
    assert not (tmp_path / "out/prometheus/rules/slo-search.yaml").exists()


def test_a_mistake_changes_nothing_and_is_told_at_its_place(workspace: Path, tmp_path: Path) -> None:
    compiled(workspace)
    before = content(tmp_path / "out")
    (workspace / "search.yaml").write_text(an_slo_file(name="search", objectives="[{target: 1}]"))
    done = compiled(workspace)
    assert done.exit_code == 1
    assert "search.yaml:10:25: spec.objectives[0].target: an objective of 100 %" in done.stderr
    assert done.stdout == ""
    assert content(tmp_path / "out") == before
    answer = json.loads(compiled(workspace, "--json").stdout)
    assert [problem["line"] for problem in answer["problems"]] == [10]


def test_nothing_is_written_where_nothing_was_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = compiled(tmp_path / "empty")
    assert done.exit_code == 1
    assert "no *.yaml or *.yml files here" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("below", ["build", "."])
def test_output_inside_of_the_workspace_is_not_read_again(workspace: Path, below: str) -> None:
    out = str(workspace / below)
    first = CliRunner().invoke(app, ["compile", str(workspace), "-o", out])
    second = CliRunner().invoke(app, ["compile", str(workspace), "-o", out])
    assert (first.exit_code, second.exit_code) == (0, 0), second.output
    checked = CliRunner().invoke(app, ["check", str(workspace)])
    assert checked.exit_code == 0, checked.output
    with chdir(workspace):
        checked = CliRunner().invoke(app, ["check"])
    assert checked.exit_code == 0, checked.output


def test_only_what_we_wrote_is_left_out(workspace: Path) -> None:
    out = workspace / "build"
    CliRunner().invoke(app, ["compile", str(workspace), "-o", str(out)])
    (out / "prometheus" / "rules" / "mine.yaml").write_text("groups: []\n")
    for command in (["check", str(workspace)], ["compile", str(workspace), "-o", str(out)]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 1
        assert "mine.yaml:1:1: apiVersion: required" in done.output
        assert "mine.yaml:1:1: kind: required" in done.output


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_generated(tmp_path, {"a": "1", "b": "1"})
    before = content(tmp_path)
    write = output_folder._write

    def full(path: Path, text: bytes) -> None:
        if path.name == "1":
            raise OSError(28, "No space left on device", str(path))
        write(path, text)

    monkeypatch.setattr(output_folder, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        write_generated(tmp_path, {"a": "2", "b": "2"})
    assert content(tmp_path) == before


def test_a_manifest_cannot_remove_what_lies_outside(tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("x")
    out = tmp_path / "out"
    write_generated(out, {"a": "1"})
    (out / MANIFEST).write_text(f"../precious\n{outside}\na\n")
    assert write_generated(out, {"b": "1"}).removed == ("a",)
    assert outside.exists()
