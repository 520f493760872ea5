"""`flyball incidents`, on a workspace with a receiver and a route."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flyball.cli.incidents import app

FILES = """\
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: sre}
spec: {channels: [{pagerduty: {routingKeyFrom: FLYBALL_PAGERDUTY_SRE}}]}
---
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: default}
spec: {default: true, receivers: [sre], groupBy: [service]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yaml").write_text(FILES)
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output


def test_an_incident_is_declared_acknowledged_noted_and_resolved(workspace: Path) -> None:
    database = "--database", f"sqlite:///{workspace}/state.db"
    by = *database, "--by", "ann"
    code, text = run("declare", "Exports hang", workspace, "--priority", "P1", "--service", "exports", *by)
    assert (code, text) == (0, "INC-1 declared: P1 Exports hang\n")
    assert run("ack", "INC-1", workspace, *by)[1] == "INC-1 acknowledged: P1 Exports hang\n"
    assert run("ack", "INC-1", workspace, *by)[1] == "INC-1 acknowledged already: P1 Exports hang\n"
    run("note", "INC-1", "rolled back", workspace, *by)
    run("assign", "INC-1", "commander", "ben", workspace, *by)
    run("priority", "INC-1", "P3", workspace, "--why", "one tenant", *by)
    listed = run("list", workspace, *database)[1].splitlines()
    assert listed[1].split()[:3] == ["INC-1", "P3", "acknowledged"]
    shown = json.loads(run("show", "INC-1", workspace, "--json", *database)[1])
    assert (shown["receivers"], shown["roles"], shown["routes"]) == (["sre"], {"commander": "ben"}, ["default"])
    assert run("resolve", "INC-1", workspace, "--why", "done", *by)[1] == "INC-1 resolved: P3 Exports hang\n"
    lines = run("timeline", "INC-1", workspace, *database)[1].splitlines()
    assert [line[20:] for line in lines] == [
        "opened       ann declared it: Exports hang",
        "acknowledged ann acknowledged it through the command line",
        "note         rolled back (ann)",
        "role         ben is commander, says ann",
        "priority     ann changed it from P1 to P3: one tenant",
        "resolved     ann resolved it through the command line: done",
    ]
    assert json.loads(run("list", workspace, "--since", "1h", "--json", *database)[1])[0]["state"] == "resolved"
    assert "No incident is open" in run("list", workspace, *database)[1]


def test_what_is_wrong_is_said_with_the_way_out(workspace: Path) -> None:
    database = "--database", f"sqlite:///{workspace}/state.db"
    assert run("ack", "INC-9", workspace, *database) == (
        1, "flyball incidents: there is no incident 'INC-9': flyball incidents list shows those there are\n",
    )  # fmt: skip
    code, text = run("declare", "x", workspace, "--receiver", "ops", *database)
    assert (code, text) == (1, "flyball incidents: there is no Receiver ops; there are: sre\n")
    assert run("list", workspace / "nowhere", *database)[0] == 1
    assert run("list", workspace, "--database", f"sqlite:///{workspace}/alerts.yaml/state.db")[0] == 3


def test_broken_files_keep_nobody_from_acknowledging(workspace: Path) -> None:
    database = "--database", f"sqlite:///{workspace}/state.db"
    run("declare", "x", workspace, *database)
    (workspace / "alerts.yaml").write_text(FILES + "---\nkind: Route\nspec: {default: [}\n")
    assert run("ack", "INC-1", workspace, "--by", "ann", *database) == (0, "INC-1 acknowledged: P2 x\n")
