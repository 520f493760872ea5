"""What stands beside the SLOs that are converted stays as it is."""

from controlplane.specfile import SourceFile
from flyball.converting import ConvertOptions, convert
from flyball.examining import examine
from tests.slo.dialects.reading import a_sloth_file

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
