"""`flyball alerts route`, on a workspace of its own."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from flyball.cli.alerts_route import route

WORKSPACE = """\
apiVersion: flyball.dev/v1
kind: Receiver
metadata: {name: chat}
spec: {channels: [{slack: {channel: "#ops"}}]}
---
apiVersion: flyball.dev/v1
kind: MaintenanceWindow
metadata: {name: nights}
spec: {timeZone: Europe/Berlin, weekly: [{from: "22:00", to: "06:00"}]}
---
apiVersion: flyball.dev/v1
kind: Route
metadata: {name: default}
spec: {default: true, receivers: [chat], routes: [{name: quiet, match: ['severity="ticket"'], muteDuring: [nights]}]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yaml").write_text(WORKSPACE)
    return tmp_path


def asked(*arguments: object) -> tuple[int, str]:
    app = Typer()
    app.command()(route)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output


def test_it_says_who_would_be_told(workspace: Path) -> None:
    code, text = asked("severity=page", "service=api", "--dir", workspace, "--at", "2026-12-01T03:00Z")
    assert code == 0
    assert text.startswith("P1 by route default at 2026-12-01 03:00 UTC\n")
    assert "chat                  30 s  slack:#ops\n" in text


def test_it_says_who_would_be_told_at_another_time(workspace: Path) -> None:
    night = asked("severity=ticket", "--dir", workspace, "--at", "2026-12-01T22:30+01:00", "--json")
    day = asked("severity=ticket", "--dir", workspace, "--at", "2026-12-01T12:30+01:00", "--json")
    assert (night[0], day[0]) == (0, 0)
    assert [json.loads(each[1])["muted"] for each in (night, day)] == [True, False]
    assert json.loads(night[1])["routes"][0]["muted_by"] == "window nights"
    assert asked("severity=ticket", "--dir", workspace)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["severity"], "is not LABEL=VALUE"),
        (["a-b=c"], "is not LABEL=VALUE"),
        (["a=b", "a=c"], "a is there twice"),
        (["a=b", "--at", "soon"], "is no time"),
    ],
)
def test_what_is_no_label_or_time_is_a_usage_error(workspace: Path, arguments: list[str], said: str) -> None:
    code, text = asked(*arguments, "--dir", workspace)
    assert code == 2
    assert said in " ".join(text.replace("│", " ").split())


def test_mistakes_in_files_are_shown_and_a_workspace_without_routes_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(WORKSPACE.replace("receivers: [chat]", "receivers: [chta]"))
    code, text = asked("a=b", "--dir", tmp_path)
    assert (code, "there is no Receiver `chta`, did you mean `chat`?" in text) == (1, True)
    (tmp_path / "alerts.yaml").unlink()
    code, text = asked("a=b", "--dir", tmp_path)
    assert (code, "declares no Route" in text) == (1, True)
    assert asked("a=b", "--dir", tmp_path / "nowhere")[0] == 1
