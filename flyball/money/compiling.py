"""Documents about money to rule files."""

from controlplane.model.rule import RuleFile
from exporters.unit_cost.rules import rule_files as unit_cost_files
from finops.budgets.rules import rule_files as budget_files
from finops.ladder.rules import rule_files as ladder_files
from finops.pricing.rules import rule_files as pricing_files
from flyball.money.declared import MoneyDeclared
from slo.compiler import CompileOptions


def money_rule_files(money: MoneyDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The rule files of prices, budgets, unit costs and ladders; the same declarations give the same files."""
    return (
        *pricing_files(money.price_maps),
        *budget_files(money.budgets, options.external_url),
        *unit_cost_files(money.unit_costs, options.external_url),
        *ladder_files(money.ladders),
    )
