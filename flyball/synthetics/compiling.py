"""Documents about checks from outside to rule files."""

from controlplane.model.rule import RuleFile
from flyball.synthetics.declared import ChecksDeclared
from slo.compiler import CompileOptions
from synthetics.alerting.model import alerted
from synthetics.alerting.rules import rule_files


def check_rule_files(checks: ChecksDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The rule files of alerts on checks, regions and status pages; none where nothing is declared."""
    return rule_files(
        alerted(checks.probes, checks.journeys),
        golden_paths=checks.golden_paths,
        has_status_page=bool(checks.pages),
        external_url=options.external_url,
    )
