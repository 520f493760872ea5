"""What stands beside the SLOs that are converted stays as it is."""

from controlplane.model.alerting import AlertMethod
from controlplane.specfile import SourceFile
from flyball.converting import ConvertOptions, convert
from flyball.examining import examine
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file

WORKSPACE = """\
---
apiVersion: flyball.dev/v1
kind: Workspace
spec: {lint: {no-owner: "off", no-runbook: error}}
"""


def test_settings_beside_a_foreign_slo_are_kept() -> None:
    conversion = convert([SourceFile("a.yaml", (a_sloth_file() + WORKSPACE).encode())], ConvertOptions())
    again = examine([SourceFile("a.yaml", conversion.texts["a.yaml"])])
    assert not conversion.problems
    assert not again.problems
    assert b"lint:\n    no-owner: 'off'\n    no-runbook: error\n" in conversion.texts["a.yaml"]


def test_what_a_policy_refuses_is_told_at_its_slo() -> None:
    text = a_pyrra_file().replace("4w", "3650d").encode()
    conversion = convert([SourceFile("a.yaml", text)], ConvertOptions(AlertMethod.BURN_RATE))
    (problem,) = conversion.problems
    assert problem.message == ("OpenSLO v1 cannot say alerting: spec.alerts.tiers[3].long: must be between 5m and 366d")
    assert (problem.path, problem.line) == ("a.yaml", 4)
