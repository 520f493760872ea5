"""Whose money the budgets and unit costs behind a ladder's signals count."""

from finops.ladder.signals.scopes import MoneyScope, Scopes
from flyball.money.declared import MoneyDeclared


def scopes_of(money: MoneyDeclared) -> Scopes:
    """The scopes of everything that a signal may name."""
    return Scopes(
        budgets={each.name: MoneyScope(each.currency, each.scope) for each in money.budgets},
        unit_costs={each.name: MoneyScope(each.currency, each.scope) for each in money.unit_costs},
    )
