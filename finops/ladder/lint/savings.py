"""Savings that cannot be: a tier that saves more than is spent would never be left."""

from decimal import Decimal
from typing import Final

from controlplane.model.budget import Budget
from finops.budgets.declared import declared as budgets_of
from finops.ladder.lint.examined import Examined, at_tier
from finops.ladder.model import Comparison, Measure, Tier

RULE: Final = "ladder-saving"


def check(it: Examined) -> None:
    """`exit` is judged on burn rate + saving ÷ what the pace expects of an hour: it is that much at least."""
    for tier in it.ladder.tiers:
        least = [(each, found) for each in tier.exit.comparisons if (found := _least(it, tier, each)) is not None]
        never = [(each, budget) for each, (budget, burn) in least if burn >= each.threshold]
        if never and (tier.exit.needs_all or len(never) == len(tier.exit.comparisons)):
            _tell(it, tier, *never[0])


def _least(it: Examined, tier: Tier, comparison: Comparison) -> tuple[Budget, Decimal] | None:
    """Of a burn rate, the budget and the rate at which the saving alone would burn it, spread evenly."""
    signal = it.ladder.signal(comparison.signal)
    if signal is None or signal.measure is not Measure.BURN_RATE:
        return None
    document = it.ground.named("Budget").get(signal.subject)
    budget = next(iter(budgets_of([document]).values), None) if document is not None else None
    if budget is None or budget.currency != it.ladder.currency:
        return None
    return budget, tier.saving_per_hour / _per_hour(budget)


def _per_hour(budget: Budget) -> Decimal:
    return budget.amount * 3600 / Decimal(int(budget.window.length.total_seconds()))


def _tell(it: Examined, tier: Tier, comparison: Comparison, budget: Budget) -> None:
    per_hour = _per_hour(budget)
    would_be = tier.saving_per_hour / per_hour
    currency = budget.currency
    message = f"budget `{budget.name}` spends {per_hour:.2f} {currency} an hour at its pace: with so much saved"
    message += f" `{comparison.signal}` would be {would_be:.1f} at least without the tier, so it is not left below"
    message += f" {comparison.threshold.normalize():f}"
    hint = "write what it saves in a usual hour, or a higher threshold in `exit`"
    it.report.warning(*at_tier(tier.number), "saving", message=message, hint=hint, rule=RULE)
