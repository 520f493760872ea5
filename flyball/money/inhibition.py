"""By which alerts about money Alertmanager mutes others: one incident, one notification.

Tickets of a budget are muted while a page of the same one fires, budgets whose spend fell silent while what they are
made of is told to be silent, and what a tier of a ladder explains while that is in force.
"""

import json
from typing import Final

from controlplane import conventions as names
from controlplane.model.inhibition import Inhibition
from finops.ladder.inhibition import explained
from flyball.money.declared import MoneyDeclared

_ALERTS: Final = (
    names.ALERT_BUDGET_BURN,
    names.ALERT_SPEND_SPIKE,
    names.ALERT_BUDGET_SPENT,
    names.ALERT_BUDGET_FORECAST,
)


def money_inhibitions(money: MoneyDeclared) -> tuple[Inhibition, ...]:
    """For `slo.inhibition.inhibit_rules`; none without budgets and ladders."""
    on_purpose = tuple(Inhibition(each.source, each.target, ()) for each in explained(money.ladders))
    if not money.budgets:
        return on_purpose
    alerts = f"alertname=~{json.dumps('|'.join(_ALERTS))}"

    def of(severity: str) -> tuple[str, ...]:
        return alerts, f"{names.SEVERITY}={json.dumps(severity)}", f'{names.BUDGET}!=""'

    stale = f"alertname={json.dumps(names.ALERT_COST_STALE)}"
    return (
        Inhibition(of(names.SEVERITY_PAGE), of(names.SEVERITY_TICKET), (names.BUDGET,)),
        Inhibition((stale, f'{names.BUDGET}=""'), (stale, f'{names.BUDGET}!=""'), ()),
        *on_purpose,
    )
