"""`flyball check` on documents about checks from outside."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli import app
from flyball.cli import commands as commands

JOURNEY = """
apiVersion: flyball.dev/v1
kind: Journey
metadata: {name: core}
spec: {interval: 5m, timeout: 1m, browser: {file: journeys/test_core.py, function: test_core}}
"""
PATH = """
apiVersion: flyball.dev/v1
kind: GoldenPath
metadata: {name: core}
spec: {routes: [{route: /}], journeys: [core]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys/test_core.py").write_text("def test_core(page):\n    pass\n")
    (tmp_path / "checks.yaml").write_text(JOURNEY)
    return tmp_path


def check(workspace: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["check", str(workspace), *options])
    return done.exit_code, done.output


def test_the_test_file_of_a_browser_journey_is_looked_at(workspace: Path) -> None:
    assert check(workspace) == (0, "0 SLOs of 0 services, 1 journey in 1 file: no problems\n")
    (workspace / "journeys/test_core.py").write_text("def test_cor(page):\n    pass\n")
    code, said = check(workspace)
    assert code == 1
    assert "checks.yaml:5:" in said
    assert "did you mean `test_cor`?" in said


def test_a_critical_path_with_a_gap_fails_a_build(workspace: Path) -> None:
    (workspace / "path.yaml").write_text(PATH)
    assert check(workspace)[0] == 0
    code, said = check(workspace, "--enforce-golden-paths")
    assert code == 1
    assert "no SLO" in said or "without SLO" in said or "no-slo" in said, said


def test_a_reference_to_an_slo_that_is_not_there_is_a_mistake(workspace: Path) -> None:
    (workspace / "path.yaml").write_text(PATH.replace("journeys: [core]", "journeys: [coer], slos: [nowhere]"))
    code, said = check(workspace)
    assert code == 1
    assert "did you mean `core`?" in said
    assert "nowhere" in said


def test_a_secret_in_a_file_does_not_reach_the_log_of_a_build(tmp_path: Path) -> None:
    headers = '{Authorization: "Bearer s3cr3t-0123"}, methd: GET'
    (tmp_path / "probe.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Probe\nmetadata: {name: shop}\n"
        f'spec: {{target: "https://shop.example/", http: {{headers: {headers}}}}}\n'
    )
    code, said = check(tmp_path)
    assert code == 1
    assert "[secret]" in said
    assert "s3cr3t" not in said
    assert "s3cr3t" not in check(tmp_path, "--format", "json")[1] + check(tmp_path, "--format", "github")[1]
