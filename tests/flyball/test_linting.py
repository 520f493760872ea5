"""Lint rules in `flyball check`: levels of a workspace, what single documents ignore, formats, the live server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from flyball.cli import app
from flyball.cli import commands as _commands
from flyball.demo import servers
from slo.lint import RULES
from slo.lint.documentation import page
from tests.docs.pages import written

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout
  annotations:
    flyball.dev/runbook-url: https://runbooks.example/checkout
{more}
spec:
  service: checkout
  indicator:
    spec: {{ratioMetric: {{metricSource: {{type: http-availability, spec: {{selector: {{job: {job}}}}}}}}}}}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: {target}}}]
"""
WORKSPACE = "apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  lint: {{{}}}\n"
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
assert _commands


def slo(more: str = "", *, job: str = "checkout", window: str = "28d", target: str = "0.99") -> str:
    return SLO.format(more=f"    {more}" if more else "", job=job, window=window, target=target)


def checked(folder: Path, *arguments: str) -> tuple[int, list[tuple[str, str, str]], str]:
    """Exit status; rule, severity and field of each problem; standard error."""
    result = CliRunner().invoke(app, ["check", str(folder), "--format", "json", *arguments])
    problems = json.loads(result.stdout)
    return result.exit_code, [(each["rule"], each["severity"], each["field"]) for each in problems], result.stderr


def test_a_rule_warns_at_the_name_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text(slo())
    assert checked(tmp_path)[:2] == (0, [("missing-owner", "warning", "metadata.name")])
    text = CliRunner().invoke(app, ["check", str(tmp_path)]).stdout
    assert "slo.yaml:4:9: warning: metadata.name: nobody owns this SLO  [missing-owner]" in text
    assert "docs/reference/lint.md#missing-owner" in text
    assert "title=missing-owner" in CliRunner().invoke(app, ["check", str(tmp_path), "--format", "github"]).stdout


@pytest.mark.parametrize(
    ("level", "expected"), [("off", (0, [])), ("error", (1, [("missing-owner", "error", "metadata.name")]))]
)
def test_a_workspace_chooses_levels(tmp_path: Path, level: str, expected: object) -> None:
    (tmp_path / "slo.yaml").write_text(slo())
    (tmp_path / "flyball.yaml").write_text(WORKSPACE.format(f"missing-owner: {level}"))
    assert checked(tmp_path)[:2] == expected


def test_each_workspace_chooses_for_itself(tmp_path: Path) -> None:
    for name, level in (("a", "off"), ("b", "error")):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "slo.yaml").write_text(slo().replace("name: checkout\n", f"name: {name}\n"))
        (tmp_path / name / "flyball.yaml").write_text(
            WORKSPACE.format(f"missing-owner: {level}").replace("spec:", f"metadata: {{name: {name}}}\nspec:")
        )
    status, problems, _ = checked(tmp_path)
    assert (status, problems) == (1, [("missing-owner", "error", "metadata.name")])


def test_a_document_ignores_rules_for_itself_alone(tmp_path: Path) -> None:
    other = slo(target="0.9").replace("name: checkout\n", "name: other\n")
    (tmp_path / "slo.yaml").write_text(
        slo("flyball.dev/lint-ignore: missing-owner, alert-unreachable", target="0.9") + "---\n" + other
    )
    status, problems, _ = checked(tmp_path)
    assert status == 0
    assert sorted(rule for rule, _, _ in problems) == ["alert-unreachable", "missing-owner"]


def test_a_rule_that_does_not_exist_is_an_error_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text(slo("flyball.dev/lint-ignore: missing-owners"))
    (tmp_path / "flyball.yaml").write_text(WORKSPACE.format("mising-owner: off"))
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert "flyball.yaml:4:10: spec.lint.mising-owner: no lint rule is named `mising-owner`" in result.stdout
    assert "did you mean `missing-owner`?" in result.stdout
    assert "no lint rule is named `missing-owners`" in result.stdout


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (slo("flyball.dev/owner: a", window="10d"), ("odd-window", "spec.timeWindow[0].duration", 12)),
        (slo("flyball.dev/owner: a", target="0.2"), ("suspicious-objective", "spec.objectives[0].target", 14)),
    ],
)
def test_a_finding_stands_where_the_file_must_be_changed(
    tmp_path: Path, text: str, place: tuple[str, str, int]
) -> None:
    (tmp_path / "slo.yaml").write_text(text)
    problems = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "--format", "json"]).stdout)
    assert place in {(each["rule"], each["field"], each["line"]) for each in problems}


SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.99999
    sli:
      events:
        error_query: sum(rate(x{job="a",code="5"}[{{.window}}]))
        total_query: sum(rate(x{job="a"}[{{.window}}]))
    alerting: {name: Requests}
"""


def test_in_a_sloth_file_it_stands_at_the_right_one_of_several(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text(SLOTH)
    problems = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "--format", "json"]).stdout)
    assert ("suspicious-objective", "slos[0].objective") in {(each["rule"], each["field"]) for each in problems}


def test_an_alert_that_cannot_fire_is_told_once_at_its_target(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text(slo("flyball.dev/owner: team-shop", target="0.9"))
    assert checked(tmp_path)[1] == [("alert-unreachable", "warning", "spec.objectives[0].target")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus"), retention="20d") as server:
        with RemoteWriter(server.url) as writer:
            labels = {"__name__": "http_requests_total", "job": "checkout", "code": "200"}
            writer.write([Series(labels, ((datetime.now(UTC), 1000.0),))])
        yield server.url


def test_a_live_prometheus_is_asked_only_when_it_is_named(tmp_path: Path, server: str) -> None:
    (tmp_path / "slo.yaml").write_text(slo("flyball.dev/owner: a", job="chekout", window="14d"))
    assert checked(tmp_path)[:2] == (0, [])
    status, problems, _ = checked(tmp_path, "--prometheus", server)
    assert status == 0
    assert problems == [("value-unknown", "warning", "spec.indicator.spec.ratioMetric.metricSource.type")]


def test_live_rules_have_levels_too(tmp_path: Path, server: str) -> None:
    (tmp_path / "slo.yaml").write_text(slo("flyball.dev/owner: a"))
    (tmp_path / "flyball.yaml").write_text(WORKSPACE.format("retention-too-short: error"))
    assert checked(tmp_path, "--prometheus", server)[:2] == (
        1,
        [("retention-too-short", "error", "spec.timeWindow[0].duration")],
    )


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "not a url"])
def test_without_an_answer_the_rest_is_still_told(tmp_path: Path, address: str) -> None:
    (tmp_path / "slo.yaml").write_text(slo())
    status, problems, words = checked(tmp_path, "--prometheus", address)
    assert (status, problems) == (3, [("missing-owner", "warning", "metadata.name")])
    assert "Prometheus" in words
    assert "the live rules were not checked" in words


def test_slos_with_mistakes_are_not_asked_about(tmp_path: Path, server: str) -> None:
    text = slo("flyball.dev/owner: a", job="chekout", window="14d").replace("http-availability", "nothing-like-it")
    (tmp_path / "slo.yaml").write_text(text)
    assert [rule for rule, _, _ in checked(tmp_path, "--prometheus", server)[1]] == ["template"]


def test_a_mistake_in_one_document_hides_nothing_about_the_next(tmp_path: Path, server: str) -> None:
    sound = slo("flyball.dev/owner: a", job="chekout", window="14d")
    (tmp_path / "slo.yaml").write_text(f"{sound}---\n{sound}")
    rules = [rule for rule, _, _ in checked(tmp_path, "--prometheus", server)[1]]
    assert rules == ["value-unknown", "duplicate-name"]


def test_every_rule_is_explained() -> None:
    listed = CliRunner().invoke(app, ["check", "--explain", "all"]).stdout
    for rule in RULES:
        assert f"\n{rule.name} " in f"\n{listed}"
        told = CliRunner().invoke(app, ["check", "--explain", rule.name])
        assert (told.exit_code, told.stdout.splitlines()[0]) == (0, f"## {rule.name}")
    wrong = CliRunner().invoke(app, ["check", "--explain", "missing-owners"])
    assert wrong.exit_code == 2
    assert "Did you mean missing-owner?" in wrong.stderr


def test_golden_page_of_the_rules() -> None:
    written(DOCS / "reference/lint.md", page())
