"""Documents about anomalies to rule files."""

from controlplane.model.rule import RuleFile
from flyball.anomalies.declared import AnomaliesDeclared
from slo.compiler import CompileOptions


def anomaly_rule_files(anomalies: AnomaliesDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """Alerts of detectors; none where none is declared."""
    if anomalies.is_empty:
        return ()
    from alerts.anomaly.rules import rule_files

    return tuple(rule_files(anomalies.detectors, external_url=options.external_url))
