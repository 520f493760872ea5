"""`flyball compile --format`: the same rules in the forms that other systems read."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

import flyball.cli.commands  # noqa: F401 -- registers them
from flyball.cli import app
from tests.flyball.test_apply import SLO

FORMS = ("rules", "prometheus-rule", "vmrule", "configmap", "mimir", "vmalert")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "slo.yaml").write_text(SLO)
    return folder


def compiled(workspace: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["compile", str(workspace), "-o", str(workspace.parent / "out"), *options])


def loaded(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def test_every_form_holds_the_same_groups(workspace: Path, promtool: str) -> None:
    done = compiled(workspace, *(f"--format={form}" for form in FORMS), "--ruler-namespace=team-a")
    assert done.exit_code == 0, done.output
    out = workspace.parent / "out"
    (path,) = (out / "prometheus/rules").glob("*.yaml")
    groups = loaded(path)["groups"]
    assert [group["name"] for group in groups] == ["slo:checkout-availability:1m", "slo:checkout-availability:5m"]
    for subfolder in ("prometheusrules", "vmrules"):
        (path,) = (out / "kubernetes" / subfolder).glob("*.yaml")
        assert loaded(path)["spec"]["groups"] == groups
    (path,) = (out / "kubernetes/configmaps").glob("*.yaml")
    (text,) = loaded(path)["data"].values()
    mounted = out / "mounted.yaml"
    mounted.write_text(text)
    subprocess.run([promtool, "check", "rules", mounted], check=True)
    (path,) = (out / "mimir/rules").glob("*.yaml")
    assert loaded(path) == {"namespace": "team-a", "groups": groups}
    subprocess.run(["vmalert", f"-rule={out}/vmalert/rules/*.yaml", "-dryRun"], check=True)


def test_only_the_forms_that_are_asked_for_are_written_and_others_go(workspace: Path) -> None:
    compiled(workspace)
    answer = json.loads(compiled(workspace, "--format=vmrule", "--json").stdout)
    assert "kubernetes/vmrules/slo-checkout-availability.yaml" in answer["written"]
    assert "prometheus/rules/slo-checkout-availability.yaml" in answer["removed"]


def test_shards_are_smaller_in_kubernetes_so_that_they_fit_into_objects(workspace: Path) -> None:
    documents = (SLO.replace("checkout", f"shop-{number:03d}") for number in range(150))
    (workspace / "slo.yaml").write_text("---".join(documents))
    settings = "apiVersion: flyball.dev/v1\nkind: Workspace\nspec: {slo: {sharedAbove: 100}}\n"
    (workspace / "flyball.yaml").write_text(settings)
    assert compiled(workspace, "--format=rules", "--format=prometheus-rule").exit_code == 0
    out = workspace.parent / "out"
    assert len(list((out / "prometheus/rules").glob("*.yaml"))) == 1
    objects = [loaded(path) for path in sorted((out / "kubernetes/prometheusrules").glob("*.yaml"))]
    assert [found["metadata"]["name"] for found in objects] == ["slo-shard-30d-000", "slo-shard-30d-001"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--namespace=Monitoring", "is not a Kubernetes namespace"),
        ("--label=release", "is not KEY=VALUE"),
        ("--label=a b=c", "is not the key of a Kubernetes label"),
        ("--ruler-namespace=a/b", "must not be empty or hold a"),
    ],
)
def test_names_that_would_be_refused_are_usage_errors(workspace: Path, option: str, words: str) -> None:
    done = compiled(workspace, "--format=configmap", option)
    assert (done.exit_code, words in " ".join(done.output.replace("│", " ").split())) == (2, True)
    assert not (workspace.parent / "out").exists()
