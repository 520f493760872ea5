"""Documents about checks from outside to rule files."""

from collections.abc import Iterator

from controlplane.model.check import CheckKind
from controlplane.model.rule import RuleFile
from flyball.synthetics.declared import ChecksDeclared
from slo.compiler import CompileOptions
from synthetics.alerting.model import Watched, certificate_days
from synthetics.alerting.rules import rule_files


def check_rule_files(checks: ChecksDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The rule files of alerts on checks, regions and status pages; none where nothing is declared."""
    return rule_files(
        tuple(watched(checks)),
        golden_paths=checks.golden_paths,
        has_status_page=bool(checks.pages),
        external_url=options.external_url,
    )


def watched(checks: ChecksDeclared) -> Iterator[Watched]:
    """Every probe and journey, as alerts see it. A label `service` says whose it is."""
    for probe in checks.probes:
        yield Watched(
            CheckKind.PROBE,
            probe.name,
            probe.interval,
            service=dict(probe.labels).get("service", ""),
            owner=probe.owner,
            runbook_url=probe.runbook_url,
            labels=probe.labels,
            certificate_days=certificate_days(probe.assertions),
        )
    for journey in checks.journeys:
        yield Watched(
            CheckKind.JOURNEY,
            journey.name,
            journey.every,
            service=dict(journey.labels).get("service", ""),
            owner=journey.owner,
            runbook_url=journey.runbook_url,
            labels=journey.labels,
        )
