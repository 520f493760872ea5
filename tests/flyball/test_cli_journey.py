"""`flyball journey`: what it prints, and its exit status."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli.journey import app
from tests.synthetics.journeys.pages import PASSWORD, Platform, serving

_JOURNEY = """\
apiVersion: flyball.dev/v1
kind: Journey
metadata: {name: sign-in, displayName: Sign in}
spec:
  interval: 1m
  timeout: 20s
  secrets: [{name: password, env: SHOP_PASSWORD}]
  steps:
    - name: sign in
      http: {url: "URL/api/sign-in", json: {user: ada, password: "${secret:password}"}}
      save: [{name: token, jsonPath: $.token}]
    - name: query
      http: {url: "URL/api/graphql", headers: {Authorization: "Bearer ${token}"}, json: {query: "{ a }"}}
"""


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.fixture
def workspace(platform: Platform, tmp_path: Path) -> Path:
    (tmp_path / "journeys.yaml").write_text(_JOURNEY.replace("URL", platform.url))
    return tmp_path


def called(*arguments: str, password: str | None = PASSWORD) -> tuple[int, str]:
    """Exit status and output, numbers of seconds and ids as N and ID."""
    given = {"SHOP_PASSWORD": password, "SHOP_PASSWORD_FILE": None}
    result = CliRunner().invoke(app, list(arguments), env=given)
    text = re.sub(r" *[0-9.]+ m?s\b", " N s", re.sub(r"[0-9a-f]{32}", "ID", result.output))
    return result.exit_code, text


def test_a_run_shows_its_steps_and_its_trace(workspace: Path) -> None:
    assert called("run", "sign-in", str(workspace)) == (
        0,
        "Sign in\n"
        "  ✓ sign in N s\n"
        "  ✓ query N s\n"
        "ok in N s, from region local\n"
        "\n"
        "trace ID\n",
    )  # fmt: skip


def test_a_failure_ends_with_1_and_a_fault_of_this_side_with_3(workspace: Path) -> None:
    status, text = called("run", "sign-in", str(workspace), password="wrong one")
    assert status == 1
    assert text.splitlines()[1:3] == ["  ✗ sign in N s", "failed in N s, from region local"]
    assert "status: step `sign in`: status is 2xx: it is not so, 401" in text
    status, text = called("run", "sign-in", str(workspace), password=None)
    assert status == 3
    assert "secret: secret `password`: set SHOP_PASSWORD, or SHOP_PASSWORD_FILE" in text


def test_a_run_as_json_names_its_steps(workspace: Path) -> None:
    status, _ = called("run", "sign-in", str(workspace), "--json")
    result = CliRunner().invoke(app, ["run", "sign-in", str(workspace), "--json"], env={"SHOP_PASSWORD": PASSWORD})
    told = json.loads(result.stdout)
    assert (status, told["outcome"]) == (0, "ok")
    assert [(step["name"], step["ok"]) for step in told["steps"]] == [("sign in", True), ("query", True)]
    assert PASSWORD not in result.output


def test_journeys_are_listed(workspace: Path) -> None:
    assert called("list", str(workspace))[1].splitlines() == [
        "JOURNEY  TYPE          EVERY  LIMIT  REGIONS",
        "sign-in  API, 2 steps  1m     20s    all",
    ]
    assert called("run", "sing-in", str(workspace)) == (1, "no Journey is named `sing-in`: did you mean `sign-in`?\n")


def test_a_workspace_without_journeys_says_where_to_begin(tmp_path: Path) -> None:
    status, text = called("list", str(tmp_path))
    assert (status, "docs/how-to/write-a-journey.md" in text) == (0, True)
