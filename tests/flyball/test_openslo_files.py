"""OpenSLO files in a workspace: JSON, lists, connection details, schemas, edits."""

import json
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

import flyball.cli.commands  # noqa: F401
from controlplane.problems import has_errors
from controlplane.specfile import SourceFile
from flyball.cli import app
from flyball.remembered_files import RememberedFiles
from tests.slo.openslo_refusals import slo, slo_v2
from tests.slo.test_openslo_alerts import condition, policy, target

SOURCE = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: main}
spec:
  type: Prometheus
  connectionDetails:
    apiKey: hunter2
"""


def run(*arguments: str, cwd: Path) -> tuple[int, str]:
    """The command line in this process: its exit status, and all that it prints."""
    with chdir(cwd):
        result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_a_secret_among_connection_details_is_told_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "source.yaml").write_text(SOURCE)
    _, said = run("check", cwd=tmp_path)
    assert "source.yaml:7:5: warning: spec.connectionDetails.apiKey: a secret" in said
    assert "hunter2" not in said


def test_a_file_of_json_can_be_named(tmp_path: Path) -> None:
    service = {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {"descr": "x"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [service]}
    (tmp_path / "shop.json").write_text(json.dumps(listed, indent=4))
    status, said = run("check", "shop.json", cwd=tmp_path)
    assert status == 1
    assert "shop.json:12:17: spec.descr: unknown field `descr`, did you mean `description`?" in said


def test_the_schema_knows_every_version_and_lists_of_documents() -> None:
    schema = json.loads(run("schema", cwd=Path())[1])
    kinds = {"SLO", "SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"}
    for version in ("openslo.v1", "openslo.com.v2alpha"):
        assert {f"{version}.{kind}" for kind in kinds} <= schema["$defs"].keys()
    assert {"openslo.v1alpha.SLO", "openslo.v1alpha.Service"} <= schema["$defs"].keys()
    assert schema["type"] == ["object", "array"]
    assert schema["items"] == {"$ref": "#"}
    assert schema["$defs"]["List"]["properties"]["items"]["items"] == {"$ref": "#"}
    branches = {json.dumps(branch["if"]["properties"]): branch["then"]["$ref"] for branch in schema["allOf"]}
    assert branches['{"kind": {"const": "List"}}'] == "#/$defs/List"
    assert all(branch["if"]["type"] == "object" for branch in schema["allOf"])  # or a list would be taken for each


def test_after_an_edit_of_an_alert_policy_its_slos_are_what_reading_everything_gives() -> None:
    def files(threshold: str, reference: str = "urgent") -> list[SourceFile]:
        texts = {
            "one.yaml": slo(more=f"  alertPolicies: [{reference}]"),
            "two.yaml": slo_v2(metadata="metadata: {name: two}"),
            "alerts.yaml": "---\n".join((policy(), condition(more=f"op: gt, threshold: {threshold}"), target())),
        }
        return [SourceFile(path, text.encode()) for path, text in texts.items()]

    remembered = RememberedFiles()
    for edited in (files("14.4"), files("6"), files("6", "urgnt"), files("6")):
        problems, slos = remembered.understand(edited)
        assert (problems, slos) == RememberedFiles().understand(edited)
        assert len(slos) == (2 if not has_errors(problems) else 1)
