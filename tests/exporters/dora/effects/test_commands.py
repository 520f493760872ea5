"""`flyball dora effects` on a store and a Prometheus."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.model.delivery import Deployment, DeploymentKind
from controlplane.store import SqlStore
from flyball.cli.dora import app
from tests.exporters.dora.effects.recorded import AT, HEALED, Truth

WORKSPACE = """
apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: calls}
spec:
  scope: {service: checkout}
  currency: USD
  units: {what: calls, counter: calls_total}
  per: 1000
"""
LONG = "9999d"


@pytest.fixture
def folder(tmp_path: Path, store: SqlStore, server: tuple[str, Truth], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, entered, whose store knows a bad release and its rollback."""
    (tmp_path / "costs.yaml").write_text(WORKSPACE)
    (tmp_path / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: w}\n"
        f"spec: {{prometheus: {{url: '{server[0]}'}}, store: {{url: 'sqlite:///{tmp_path}/state.db'}}}}\n"
    )
    monkeypatch.chdir(tmp_path)
    bad = Deployment("ci#7", "checkout", "production", AT, DeploymentKind.DEPLOYED, version="1.4.2")
    back = Deployment("ci#8", "checkout", "production", HEALED, DeploymentKind.ROLLED_BACK, version="1.4.1")
    with store.transaction() as transaction:
        transaction.delivery.put_deployments([bad, back])
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["effects", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def test_before_anything_is_measured_deployments_wait(folder: Path) -> None:
    assert "Deployments: 2 not measured yet." in run("--since", LONG)
    assert "It was never measured" in run("ci#7")
    assert json.loads(run("ci#7", "--json")) == {"deployment": "ci#7", "effects": []}


def test_measured_by_hand_the_worst_one_is_listed(folder: Path) -> None:
    shown = run("--again", "--since", LONG)
    assert "Measured 2 deployments anew." in shown
    first, money = (line for line in shown.splitlines() if line.startswith("  1. "))
    assert first.endswith("checkout-availability")
    assert money.endswith("calls")
    assert "ended by the rollback to 1.4.1" in shown
    data = json.loads(run("--since", LONG, "--json"))
    assert [each["deployment"] for each in data["budgets"]] == ["ci#7"]
    assert run(f"{folder}/", "--since", LONG) == run("--since", LONG)
    assert "calls" in run("ci#7")


def test_names_that_fit_nothing_and_a_prometheus_that_is_away_are_said(folder: Path) -> None:
    assert "no deployment is called ci#9" in run("ci#9", code=1)
    assert "no service is named `chekout`: did you mean `checkout`?" in run("--service", "chekout", code=1)
    assert "the others wait" in run("ci#7", "--again", "--prometheus", "http://127.0.0.1:1", code=3)
    assert "is no length" in run("--since", "soon", code=2)
