"""Documents about checks from outside to rule files."""

from controlplane.model.rule import RuleFile
from flyball.synthetics.declared import ChecksDeclared
from slo.compiler import CompileOptions


def check_rule_files(checks: ChecksDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The rule files of alerts on checks, regions and status pages; none where nothing is declared."""
    return ()
