"""What documents declare besides SLOs: about money, checks from outside, who is told, deliveries, and anomalies."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.model import AlertsDeclared
from controlplane.model.slo import SLO
from controlplane.problems import Problem
from controlplane.specfile import Document, Kind
from flyball.alerting.declared import KINDS as ALERT_KINDS
from flyball.alerting.declared import NO_ALERTS, alerts_of
from flyball.anomalies.declared import KINDS as ANOMALY_KINDS
from flyball.anomalies.declared import NO_ANOMALIES, AnomaliesDeclared, anomalies_of
from flyball.delivery.declared import KINDS as DELIVERY_KINDS
from flyball.delivery.declared import NO_DELIVERY, DeliveryDeclared, delivery_of
from flyball.money.declared import KINDS as MONEY_KINDS
from flyball.money.declared import NOTHING, MoneyDeclared, money_of
from flyball.synthetics.declared import KINDS as CHECK_KINDS
from flyball.synthetics.declared import NO_CHECKS, ChecksDeclared, checks_of

KINDS: Final[tuple[Kind, ...]] = (*MONEY_KINDS, *CHECK_KINDS, *ALERT_KINDS, *DELIVERY_KINDS, *ANOMALY_KINDS)


@dataclass(frozen=True, slots=True)
class BesideSLOs:
    """The values, and everything that is wrong with them."""

    money: MoneyDeclared = NOTHING
    checks: ChecksDeclared = NO_CHECKS
    alerts: AlertsDeclared = NO_ALERTS
    delivery: DeliveryDeclared = NO_DELIVERY
    anomalies: AnomaliesDeclared = NO_ANOMALIES
    problems: tuple[Problem, ...] = ()


def beside_slos(
    documents: Sequence[Document],
    slos: Iterable[SLO],
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> BesideSLOs:
    """What the documents declare; `slos` are all that there are, to which they may refer."""
    names = frozenset(slo.name for slo in slos)
    money, about_money = money_of(documents, may_be_declared, names)
    checks, about_checks = checks_of(documents, names, may_be_declared)
    alerts, about_alerts = alerts_of(documents, may_be_declared)
    about_flags = _about_flags(documents, money, alerts, may_be_declared)
    delivery, about_delivery = delivery_of(documents)
    anomalies, about_anomalies = anomalies_of(documents)
    problems = (*about_money, *about_checks, *about_alerts, *about_flags, *about_delivery, *about_anomalies)
    return BesideSLOs(money, checks, alerts, delivery, anomalies, problems)


def _about_flags(
    documents: Sequence[Document],
    money: MoneyDeclared,
    alerts: AlertsDeclared,
    may_be_declared: Callable[[str], bool],
) -> Iterable[Problem]:
    """Flags that steps of runbooks name must be on an allow-list."""
    if not any(runbook.steps for runbook in alerts.runbooks):
        return ()
    from alerts.runbooks.references import flag_problems
    from flyball.alerting.runbook_flags import flags_by_store

    return flag_problems(documents, flags_by_store(money.flag_stores), may_be_declared)
