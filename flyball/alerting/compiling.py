"""Documents about who is told of alerts to rule files and to Alertmanager's configuration."""

from typing import Final

from alerts.model import AlertsDeclared
from alerts.watchdog.rules import rule_files
from controlplane.model.rule import RuleFile
from slo.compiler import CompileOptions

RUNBOOK: Final = "alerting"  # the name of the Runbook that alerts about alerting link, where it is declared


def alert_rule_files(alerts: AlertsDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The Watchdog and the alerts about alerting itself; none where no route is declared."""
    if alerts.root is None:
        return ()
    runbook = next((each for each in alerts.runbooks if each.name == RUNBOOK), None)
    return rule_files(runbook_url=runbook.url if runbook else "")
