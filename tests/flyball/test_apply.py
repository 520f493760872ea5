"""`flyball apply` as people and CI run it, on a real Prometheus."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import flyball.cli.commands  # noqa: F401 -- registers them
from controlplane.adapters.prometheus import PrometheusBackend
from flyball.cli import app
from flyball.demo import servers

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  indicator:
    metadata: {name: checkout-errors}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{job="checkout", code=~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{job="checkout"}'}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""


@dataclass
class Stage:
    """A workspace, a rules directory and a Prometheus that reads it."""

    workspace: Path
    rules: Path
    url: str

    def apply(self, *options: str) -> Result:
        main = ["apply", str(self.workspace), f"--prometheus={self.url}", f"--rules-directory={self.rules}"]
        return CliRunner().invoke(app, [*main, *options])

    def groups(self) -> list[str]:
        return sorted(group.name for group in PrometheusBackend(self.url).loaded_groups())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/checkout.yaml").write_text(SLO)
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[str(tmp_path / "rules/current/*.yaml")]) as server:
        yield Stage(tmp_path / "workspace", tmp_path / "rules", server.url)


def test_an_slo_runs_after_apply_and_a_second_apply_has_nothing_to_do(stage: Stage) -> None:
    first = stage.apply()
    hint = "checkout-availability begins now: `flyball slo backfill` computes its past.\n"
    assert (first.exit_code, first.stderr) == (0, hint)
    assert first.stdout.startswith(f"Applied: Prometheus at {stage.url} runs 1 SLO, ")
    assert stage.groups() == ["flyball-generation", "slo:checkout-availability:1m", "slo:checkout-availability:5m"]
    assert stage.apply().stdout.startswith("Nothing to do: ")


def test_mistakes_are_printed_and_change_nothing(stage: Stage) -> None:
    stage.apply()
    before = stage.groups()
    (stage.workspace / "checkout.yaml").write_text(SLO.replace("0.999", "99.9"))
    done = stage.apply()
    assert done.exit_code == 1
    assert "checkout.yaml:16:25: " in done.stdout
    assert "last good rules" in done.stderr
    assert stage.groups() == before


def test_an_empty_workspace_takes_no_rules_away(stage: Stage) -> None:
    stage.apply()
    before = stage.groups()
    (stage.workspace / "checkout.yaml").unlink()
    done = stage.apply()
    assert (done.exit_code, "no *.yaml or *.yml files here" in done.stdout) == (1, True)
    assert stage.groups() == before


def test_rules_in_the_workspace_itself_would_be_read_as_slos(stage: Stage) -> None:
    stage.rules = stage.workspace / "rules"
    done = stage.apply()
    assert done.exit_code == 1
    assert "the rules directory lies among the files that Flyball reads" in done.stdout


def test_an_unreachable_prometheus_is_exit_status_3_and_nothing_is_written(stage: Stage) -> None:
    stage.url = f"http://{servers.LOOPBACK}:{servers.free_port()}"
    done = stage.apply()
    assert (done.exit_code, done.stdout) == (3, "")
    assert "is unreachable" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert not (stage.rules / "current").exists()


def test_a_prometheus_that_does_not_read_the_folder_is_exit_status_3_with_the_line_to_add(stage: Stage) -> None:
    stage.rules = stage.rules.with_name("elsewhere")
    done = stage.apply()
    assert done.exit_code == 3
    assert f"does not read {stage.rules}/current/*.yaml: add that to rule_files" in done.stderr


def test_what_prometheus_refuses_for_reasons_of_its_own_is_not_blamed_on_the_rules(stage: Stage) -> None:
    stage.apply()
    config = stage.rules.parent / "prometheus/prometheus.yml"
    config.write_text(config.read_text() + "nonsense: true\n")
    (stage.workspace / "checkout.yaml").write_text(SLO.replace("0.999", "0.99"))
    done = stage.apply("--json")
    answer = json.loads(done.stdout)
    assert done.exit_code == 3
    assert (answer["outcome"], answer["lastGoodRulesLive"], answer["groups"]) == ("rolled_back", True, 2)
    assert "promtool finds no fault in these rules" in answer["reason"]


def test_json_says_what_runs(stage: Stage) -> None:
    answer = json.loads(stage.apply("--json").stdout)
    assert (answer["outcome"], answer["slos"], answer["groups"], answer["problems"]) == ("applied", 1, 2, [])
    assert answer["rules"] == sum(
        len(group.rules) for group in PrometheusBackend(stage.url).loaded_groups() if group.name.startswith("slo:")
    )


def test_a_rules_directory_without_permission_is_exit_status_3(stage: Stage) -> None:
    stage.rules = Path("/proc/flyball")
    done = stage.apply()
    assert done.exit_code == 3
    assert done.stderr.startswith("Not applied: /proc/flyball")


def test_dashboards_go_where_grafana_reads_them(stage: Stage) -> None:
    folder = stage.rules.with_name("dashboards")
    (stage.workspace / "flyball.yaml").write_text(
        f"apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  grafana: {{dashboardsDirectory: {folder}}}\n"
    )
    assert json.loads(stage.apply("--json").stdout)["dashboardsChanged"] == 2
    assert sorted(path.name for path in folder.glob("*.json")) == ["slo-checkout-availability.json", "slos.json"]
    assert json.loads(stage.apply("--json").stdout)["dashboardsChanged"] == 0


def test_dashboards_that_cannot_be_written_stop_no_rules(stage: Stage) -> None:
    (stage.workspace / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  grafana: {dashboardsDirectory: /proc/flyball}\n"
    )
    done = stage.apply()
    assert done.exit_code == 3
    assert done.stdout.startswith("Applied: ")
    assert "But dashboards were not published: /proc/flyball" in done.stderr
