"""Documents about money to rule files."""

from controlplane.model.rule import RuleFile
from flyball.money.declared import MoneyDeclared
from slo.compiler import CompileOptions


def money_rule_files(money: MoneyDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """The rule files of prices, budgets and unit costs; the same declarations give the same files."""
    return ()
