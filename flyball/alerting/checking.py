"""What `flyball check` finds about alerts beyond single documents: tests of routes, runbooks, times without anybody."""

from collections.abc import Callable, Sequence
from datetime import datetime

from alerts.model import AlertsDeclared
from alerts.routing.lint import lint_problems
from alerts.routing.route_tests import test_problems
from alerts.runbooks.linking import file_problems, link_problems
from alerts.schedules.lint import gap_problems
from controlplane.model.rule import RuleFile
from controlplane.problems import Problem, has_errors
from flyball.alerting.compiling import alert_rule_files
from flyball.alerting.declared import is_about_alerts
from flyball.anomalies.compiling import anomaly_rule_files
from flyball.delivery.compiling import delivery_rule_files
from flyball.examining import Examined
from flyball.money.compiling import money_rule_files
from flyball.synthetics.compiling import check_rule_files
from flyball.workspace_spec import Workspace
from slo.compiler import CompileOptions, compile_rules


def alert_problems(
    examined: Examined, now: datetime, exists: Callable[[str], bool] | None = None
) -> tuple[Problem, ...]:
    """Nothing where no alerts are declared. `exists` tells whether a file of the workspace is there; None: not asked.

    Tests and runbooks are looked at only where nothing else is wrong: what a mistake left out is not another one.
    """
    alerts = examined.alerts
    documents = [document for document in examined.documents if is_about_alerts(document)]
    if not documents:
        return ()
    problems = gap_problems(documents, {each.name: each for each in alerts.schedules}, now)
    if exists is not None:
        problems += file_problems(alerts.runbooks, exists)
    if alerts.root is not None and not has_errors(examined.problems):
        problems += test_problems(alerts)
        problems += lint_problems(alerts, now)
        problems += _about_runbooks(examined, alerts)
    return tuple(problems)


def _about_runbooks(examined: Examined, alerts: AlertsDeclared) -> list[Problem]:
    assert alerts.root is not None
    if alerts.root.source is None:
        return []
    options = _options(examined)
    return link_problems(
        _rule_files(examined, options), alerts.runbooks, at=alerts.root.source, console_url=options.external_url
    )


def _rule_files(examined: Examined, options: CompileOptions) -> Sequence[RuleFile]:
    return (
        *compile_rules(examined.slos, options),
        *money_rule_files(examined.money, options),
        *check_rule_files(examined.checks, options),
        *alert_rule_files(examined.alerts, examined.money, examined.checks, options),
        *delivery_rule_files(examined.delivery, options),
        *anomaly_rule_files(examined.anomalies, options),
    )


def _options(examined: Examined) -> CompileOptions:
    """As far as the files say them."""
    for document in examined.documents:
        if isinstance(document.value, Workspace):
            spec = document.value.spec
            return CompileOptions(spec.console.external_url or "", spec.slo.runbook_url or "")
    return CompileOptions()
