"""Documents about who is told of alerts to rule files and to Alertmanager's configuration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from alerts.model import AlertsDeclared
from alerts.routing import own_rules
from alerts.routing.alertmanager_yaml import FILE, alertmanager_yaml
from alerts.watchdog import rules as watchdog_rules
from controlplane.model.inhibition import Inhibition
from controlplane.model.rule import RuleFile
from controlplane.model.slo import SLO
from flyball.money.declared import MoneyDeclared
from flyball.money.inhibition import money_inhibitions
from flyball.synthetics.declared import ChecksDeclared
from slo.compiler import CompileOptions
from slo.inhibition import slo_inhibitions

if TYPE_CHECKING:
    from flyball.settings import Settings

RUNBOOK: Final = "alerting"  # the name of the Runbook that alerts about alerting link, where it is declared


def alert_rule_files(
    alerts: AlertsDeclared, money: MoneyDeclared, checks: ChecksDeclared, options: CompileOptions
) -> tuple[RuleFile, ...]:
    """The Watchdog, alerts about alerting itself, and those that keep others quiet; none where no route is declared."""
    if alerts.root is None:
        return ()
    runbook = next((each.url for each in alerts.runbooks if each.name == RUNBOOK), "")
    has_checks = bool(checks.probes or checks.journeys)
    quieting = own_rules.rule_files(
        has_ladders=bool(money.ladders),
        has_checks=has_checks,
        external_url=options.external_url,
        runbook_url=runbook,
    )
    return (*watchdog_rules.rule_files(runbook_url=runbook), *quieting)


def inhibitions(slos: Sequence[SLO], money: MoneyDeclared) -> tuple[Inhibition, ...]:
    """What alerts of SLOs and about money keep quiet; alerts' own rules come on top of them."""
    return (*slo_inhibitions(slos), *money_inhibitions(money))


def alertmanager_files(
    alerts: AlertsDeclared, slos: Sequence[SLO], money: MoneyDeclared, settings: "Settings"
) -> dict[str, str]:
    """A complete alertmanager.yml by its path below the output folder; none where no route is declared."""
    if alerts.root is None:
        return {}
    url = settings.alerts.webhook_url or settings.external_url or f"http://{settings.listen}"
    text = alertmanager_yaml(
        alerts.root,
        alerts.windows,
        inhibitions(slos, money),
        external_url=url,
        credentials_file=settings.alerts.webhook_token_file,
    )
    return {FILE: text}
