"""`flyball slo explain`: from files alone, and against a Prometheus that runs the rules."""

import json
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from controlplane.rulefile import to_yaml
from controlplane.specfile import SourceFile
from flyball.cli import app, commands  # noqa: F401 -- registers the commands
from flyball.demo import servers
from flyball.examining import examine
from slo.compiler import compile_rules
from tests.slo.reading import an_slo_file

# No request answers 999, so all of them are bad.
FAILING = an_slo_file(
    name="failing",
    kind="good",
    bad='prometheus_http_requests_total{code="999"}',
    total="prometheus_http_requests_total",
    metadata="  annotations: {flyball.dev/group-by: handler}",
)


def explained(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["slo", "explain", *arguments])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "slo").mkdir()
    (tmp_path / "slo" / "failing.yaml").write_text(FAILING)
    return tmp_path / "slo"


def test_files_alone_tell_how_many_errors_a_page_needs(workspace: Path) -> None:
    (workspace / "checkout.yaml").write_text(an_slo_file(metadata="  annotations: {flyball.dev/drop-tiers: ticket}"))
    done = explained("checkout", str(workspace), "--offline")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "checkout: 99.9 % good over 30 d",
        f"  service shop, written at {workspace}/checkout.yaml:4:9",
        '  bad: http_requests_total{code=~"5.."}',
        "  all: http_requests_total",
        "  Time without traffic counts as nothing. A ticket when its series are gone for 15 min.",
        "",
        "Somebody is told when",
        "  page-1h     a page needs 1.44 % errors over 5 min, and 2 % of the budget gone in 5 min or 1 h "
        "(at least 3 bad events)",
        "  page-6h     a page needs 0.6 % errors over 30 min, and 5 % of the budget gone in 6 h "
        "(at least 3 bad events)",
        "",
        "Prometheus was not asked, or has no series of it: its rules are not loaded, or its queries find nothing.",
    ]


def test_a_tier_that_never_fires_says_so(workspace: Path) -> None:
    (workspace / "lax.yaml").write_text(an_slo_file(name="lax", objectives="[{target: 0.9}]"))
    done = explained("lax", str(workspace), "--offline")
    assert "page-1h     can never fire: it would need 144 % errors over 5 min" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["fialing"], 1, "no SLO is named `fialing`, did you mean `failing`?"),
        (["failing", "--group", "tenant=a"], 2, "LABEL one of handler"),
        (["failing", "--prometheus", "http://127.0.0.1:1"], 3, "--offline says what the files alone tell"),
    ],
)
def test_what_cannot_be_explained_is_told(workspace: Path, arguments: list[str], status: int, told: str) -> None:
    done = explained(arguments[0], str(workspace), *arguments[1:])
    assert done.exit_code == status
    assert told in " ".join(done.output.replace("│", " ").split())
    assert done.stdout == ""


def test_a_page_is_explained_while_it_fires(workspace: Path, tmp_path: Path) -> None:
    with _prometheus(workspace, tmp_path) as server:
        _await_page(server.url)
        answer = json.loads(explained("failing", str(workspace), "--prometheus", server.url, "--json").stdout)
        text = explained("failing", str(workspace), "--prometheus", server.url, "--group", "handler=/-/ready").stdout
        fired = httpx.get(f"{server.url}/api/v1/alerts").json()["data"]["alerts"]
    (words,) = (it["annotations"] for it in fired if it["labels"].get("handler") == "/-/ready" and _pages(it))
    assert words["explain"] == "flyball slo explain failing --group handler=/-/ready"
    assert "error" not in words["description"].replace("error budget", "") + words["worst"]
    assert words["worst"].startswith("handler=/-/ready ")
    first = answer["conditions"][0]
    assert (first["tier"], first["burnRate"], first["errorShare"]) == ("page-1h", "14.4", "0.0144")
    assert first["met"] is True
    assert first["short"]["burnRate"] == pytest.approx(1000)
    assert {"alert": "SLOErrorBudgetBurn", "severity": "page"} in answer["firing"]
    assert answer["budgetLeft"] < 1
    assert answer["goneInSeconds"] > 0
    assert len(answer["groups"]) > 1
    assert answer["group"] == answer["groups"][0]["group"]
    assert text.startswith("failing handler=/-/ready: 99.9 % good over 30 d\n")
    assert "now: " in text


def _pages(alert: dict[str, dict[str, str]]) -> bool:
    return alert["labels"]["severity"] == "page"


def _prometheus(workspace: Path, folder: Path) -> AbstractContextManager[servers.Server]:
    """One that scrapes itself every second and evaluates the rules as often."""
    files = [SourceFile(path.name, path.read_bytes()) for path in workspace.glob("*.yaml")]
    second = timedelta(seconds=1)
    for file in compile_rules(examine(files).slos):
        hurried = replace(file, groups=tuple(replace(group, interval=second) for group in file.groups))
        (folder / file.name).write_text(to_yaml(hurried))
    port = servers.free_port()
    itself: dict[str, object] = {"job_name": "itself", "static_configs": [{"targets": [f"{servers.LOOPBACK}:{port}"]}]}
    return servers.prometheus(
        folder / "prometheus", rule_globs=[f"{folder}/*.yaml"], scrape=[itself], scrape_interval="1s", port=port
    )


def _await_page(url: str) -> None:
    """Ask until it pages for two handlers whose budget is known; asking is the traffic."""
    deadline = time.monotonic() + 60
    pages = 'ALERTS{alertstate="firing",severity="page"} and on (slo, handler) slo:error_budget_remaining:ratio'
    while time.monotonic() < deadline:
        httpx.get(f"{url}/-/ready")
        found = httpx.get(f"{url}/api/v1/query", params={"query": pages}).json()["data"]["result"]
        if len(found) > 1:
            return
        time.sleep(0.05)
    pytest.fail("no page")
