"""`flyball plan` on documents about checks from outside."""

import json
from pathlib import Path

from typer.testing import CliRunner

from flyball.cli import app
from flyball.cli import commands as commands

PROBE = """
apiVersion: flyball.dev/v1
kind: Probe
metadata: {{name: {name}}}
spec: {{target: "https://shop.example/{path}", interval: {interval}, http: {{}}}}
---
"""


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout


def test_a_plan_names_each_field_of_a_probe_that_changes(tmp_path: Path) -> None:
    workspace, out = tmp_path / "workspace", tmp_path / "out"
    workspace.mkdir()
    files = workspace / "probes.yaml"
    files.write_text(
        PROBE.format(name="front", path="", interval="30s") + PROBE.format(name="old", path="x", interval="1m")
    )
    assert run("compile", str(workspace), "-o", str(out))[0] == 0
    assert run("plan", str(workspace), "--against", str(out))[0] == 0
    files.write_text(
        PROBE.format(name="front", path="", interval="20s") + PROBE.format(name="new", path="y", interval="1m")
    )
    code, said = run("plan", str(workspace), "--against", str(out))
    assert code == 2
    assert "~ Probe front" in said
    assert "spec.interval: 30s → 20s" in said
    assert "Documents about checks from outside: 1 to add, 1 to change, 1 to remove." in said
    planned = json.loads(run("plan", str(workspace), "--against", str(out), "--json")[1])
    assert [(each["action"], each["name"]) for each in planned["checks"]] == [
        ("changed", "front"), ("added", "new"), ("removed", "old"),
    ]  # fmt: skip
