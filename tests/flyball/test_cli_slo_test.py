"""`flyball slo test`, as a shell sees it."""

import json
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flyball import in_parallel
from flyball.cli import app, commands

# A window of two hours has one tier, so the tests last a second.
SLO = """apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: 'requests_total{{job="{name}",code="500"}}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: 'requests_total{{job="{name}"}}'}}}}}}
  timeWindow: [{{duration: 2h, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"""


def command(*arguments: str, cwd: Path) -> Result:
    assert commands  # they add themselves to the program
    with chdir(cwd):
        done = CliRunner().invoke(app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "workspace"
    folder.mkdir()
    for name in ("pay", "search"):
        (folder / f"{name}.yaml").write_text(SLO.format(name=name))
    return folder


def test_what_passed_is_remembered_until_it_changes(workspace: Path) -> None:
    first = command("slo", "test", "--slo", "pay", "--json", cwd=workspace)
    told = json.loads(first.stdout)
    assert (first.exit_code, told["failed"]) == (0, 0)
    assert told["statements"] == sum(file["statements"] for file in told["files"]) > 10
    assert [(file["name"].split("/")[-1], file["remembered"]) for file in told["files"]] == [
        ("slo-pay-1m.test.yaml", False)
    ]
    again = command("slo", "test", "--slo", "pay", cwd=workspace)
    assert "1 of 1 files unchanged since they passed" in again.stdout
    changed = (workspace / "pay.yaml").read_text().replace("0.99}", "0.98}")
    (workspace / "pay.yaml").write_text(changed)
    after = command("slo", "test", "--slo", "pay", "--json", cwd=workspace)
    assert [file["remembered"] for file in json.loads(after.stdout)["files"]] == [False]


def test_a_wrong_rule_is_told_and_not_remembered(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = in_parallel.rule_texts

    def wrong(*arguments: Any) -> Mapping[str, str]:
        return {name: text.replace("> 1 and", "> 1.2 and") for name, text in right(*arguments).items()}

    monkeypatch.setattr(in_parallel, "rule_texts", wrong)
    for _ in range(2):
        done = command("slo", "test", "--slo", "pay", cwd=workspace)
        assert done.exit_code == 1
        assert "slo-pay-1m.test.yaml:" in done.stdout
        assert 'alertname=\\"SLOErrorBudgetBurn\\"' in done.stdout
        assert "statements about alerts are not true in 1 test files" in done.stdout


def test_an_slo_that_is_not_there_is_a_mistake(workspace: Path) -> None:
    done = command("slo", "test", "--slo", "nothing-*", cwd=workspace)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no SLO is named nothing-*" in done.stderr


def test_files_with_mistakes_are_not_tested(workspace: Path) -> None:
    (workspace / "pay.yaml").write_text(SLO.format(name="pay").replace("0.99}", "99}"))
    done = command("slo", "test", cwd=workspace)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "pay.yaml:" in done.stderr


def test_without_promtool_nothing_can_be_told(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(workspace))
    done = command("slo", "test", cwd=workspace)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "promtool is not on PATH" in done.stderr
