"""`flyball golden-paths` and `flyball check --enforce-golden-paths`, on a real Prometheus and a real database."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.check import CheckKind, CheckResult, Outcome, ReportHead, Verdict, VerdictKind
from controlplane.store import migrate, open_store
from flyball.cli import app, commands
from flyball.demo import servers

NOWHERE = "http://127.0.0.1:1"
FILE = """
    apiVersion: flyball.dev/v1
    kind: RouteInventory
    metadata: {name: gateway}
    spec: {metric: http_requests_total}
    ---
    apiVersion: flyball.dev/v1
    kind: GoldenPath
    metadata: {name: core-flow}
    spec:
      routes: [{service: gateway, route: /query}]
      slos: [availability]
      probes: [health]
      exempt: [{gap: no-journey, reason: comes in spring, until: 2999-03-01}]
    ---
    apiVersion: flyball.dev/v1
    kind: Probe
    metadata: {name: health}
    spec: {target: "http://gateway.example/healthz", http: {}}
    ---
    apiVersion: openslo/v1
    kind: SLO
    metadata: {name: availability}
    spec:
      service: gateway
      indicator:
        spec:
          ratioMetric:
            counter: true
            bad: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{code="500"}'}}}
            total: {metricSource: {type: Prometheus, spec: {query: http_requests_total}}}
      timeWindow: [{duration: 30d, isRolling: true}]
      budgetingMethod: Occurrences
      objectives: [{target: 0.99}]
"""
assert commands  # registers them


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has seen two routes; the second tries to write on a terminal."""
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        now = int(time.time())
        times = np.arange(now - 1800, now + 1, 60)
        with RemoteWriter(server.url) as writer:
            for route in ("/query", "/\x1b[31mupload"):
                labels = {"__name__": "http_requests_total", "service": "gateway", "route": route}
                column = ColumnarSeries(encoded_labels(labels), times * 1000, (times - times[0]) * 3.0)
                writer.write_columns([column])
        yield server.url


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which the probe runs."""
    path = tmp_path_factory.mktemp("database") / "state.db"
    url = f"sqlite:///{path}"
    migrate(url)
    store = open_store(url)
    now = datetime.now(UTC)
    with store.transaction() as transaction:
        result = CheckResult("health", CheckKind.PROBE, "eu", now, 0.1, Outcome.OK)
        transaction.checks.take(ReportHead("eu", "p", 1, now), [result], now)
        transaction.checks.put_verdicts([Verdict("health", CheckKind.PROBE, VerdictKind.UP, now, 1, ())], now)
    store.close()
    return path


@pytest.fixture
def workspace(tmp_path: Path, database: Path) -> Path:
    """Files that are right, and that database."""
    (tmp_path / "paths.yaml").write_text(dedent(FILE))
    shutil.copy(database, tmp_path / "state.db")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def of(workspace: Path, url: str) -> tuple[object, ...]:
    return (workspace, "--prometheus", url, "--database", f"sqlite:///{workspace}/state.db")


def test_gaps_that_traffic_and_runs_tell_fail_a_build(workspace: Path, prometheus: str) -> None:
    told = run("golden-paths", *of(workspace, prometheus))
    assert told.exit_code == 0, told.output
    assert "\x1b" not in told.output
    assert re.sub(r"\d{4} requests", "N requests", told.output).splitlines() == [
        "golden path  state           routes  SLOs  journeys  probes",
        "core-flow    1 gap accepted       1     1         0       1",
        "",
        "route-on-no-path: gateway /�[31mupload: N requests a day, and no golden path names it: add it to a "
        "GoldenPath, or to what the RouteInventory gateway ignores, with a reason",
        "core-flow: no-journey: accepted until 2999-03-01: comes in spring",
        "",
        "1 golden path: 1 with accepted gaps; 1 route on no path",
    ]
    enforced = run("golden-paths", *of(workspace, prometheus), "--enforce")
    assert enforced.exit_code == 1
    assert "1 gap in critical golden paths: close a gap, or accept it for a while" in enforced.output
    checked = run("check", workspace, "--enforce-golden-paths", "--prometheus", prometheus)
    assert checked.exit_code == 1
    assert "error: route-on-no-path: gateway /�[31mupload" in checked.output


def test_files_alone_tell_what_is_missing_in_them(workspace: Path) -> None:
    assert run("check", workspace, "--enforce-golden-paths").exit_code == 0
    text = (workspace / "paths.yaml").read_text()
    (workspace / "paths.yaml").write_text(text.replace("2999-03-01", "2020-03-01"))
    told = run("check", workspace, "--enforce-golden-paths")
    assert told.exit_code == 1
    assert "error: core-flow: no-journey: nobody walks it from outside: name a Journey" in told.output
    assert "error: core-flow: exemption-expired: no-journey: was accepted until 2020-03-01" in told.output


def test_what_cannot_be_asked_is_told_and_fails_only_what_is_strict(workspace: Path) -> None:
    arguments = ("golden-paths", *of(workspace, NOWHERE), "--enforce")
    told = run(*arguments)
    assert told.exit_code == 0, told.output
    assert "unknown: Prometheus does not tell: " in told.output
    assert "1 golden path: 1 unknown" in told.output
    strict = run(*arguments, "--strict")
    assert strict.exit_code == 1
    assert "2 things unknown: ask what knows, or leave out --strict" in strict.output
    assert run("check", workspace, "--enforce-golden-paths", "--strict").exit_code == 1


def test_gaps_in_the_files_are_told_also_when_prometheus_cannot_be_asked(workspace: Path) -> None:
    arguments = ("check", workspace, "--enforce-golden-paths", "--prometheus", NOWHERE)
    away = run(*arguments)
    assert away.exit_code == 3
    assert "unknown, not enforced: Prometheus does not tell: " in away.output
    text = (workspace / "paths.yaml").read_text()
    (workspace / "paths.yaml").write_text(text.replace("2999-03-01", "2020-03-01"))
    told = run(*arguments)
    assert told.exit_code == 1
    assert "the live rules were not checked" in told.output
    assert "error: core-flow: no-journey: nobody walks it from outside: name a Journey" in told.output


def test_a_database_that_is_not_there_leaves_runs_unknown_and_is_not_made(workspace: Path, prometheus: str) -> None:
    missing = workspace / "other.db"
    told = run("golden-paths", workspace, "--prometheus", prometheus, "--database", f"sqlite:///{missing}")
    assert told.exit_code == 0, told.output
    assert "core-flow (probe health)" in told.output
    assert not missing.exists()


def test_programs_get_json_and_graphs_as_text(workspace: Path, prometheus: str) -> None:
    data = json.loads(run("golden-paths", *of(workspace, prometheus), "--format", "json").stdout)
    assert data["paths"][0]["checks"][0]["verdict"] == "up"
    assert [gap["gap"] for gap in data["gaps"] if gap["enforced"]] == ["route-on-no-path"]
    mermaid = run("golden-paths", *of(workspace, prometheus), "--format", "mermaid").stdout
    assert mermaid.startswith("flowchart LR\n")
    assert 'probe3[/"probe health"/]' in mermaid
    dot = run("golden-paths", *of(workspace, prometheus), "--format", "dot").stdout
    assert dot.startswith("digraph golden_paths {\n")
    assert "\x1b" not in mermaid + dot


def test_a_workspace_without_golden_paths_says_how_to_write_one(tmp_path: Path) -> None:
    told = run("golden-paths", tmp_path, "--offline")
    assert told.exit_code == 1
    assert "declares no GoldenPath: docs/how-to/enforce-golden-paths.md" in told.output


def test_mistakes_in_the_files_are_shown_first(workspace: Path) -> None:
    text = (workspace / "paths.yaml").read_text()
    (workspace / "paths.yaml").write_text(text.replace("probes: [health]", "probes: [healht]"))
    told = run("golden-paths", workspace, "--offline")
    assert told.exit_code == 1
    assert "there is no Probe `healht`, did you mean `health`?" in told.output
