"""What a plan asks of a ledger."""

from collections.abc import Sequence
from datetime import datetime

from controlplane.model.spend import SpendQuestion
from finops.allocation.model import CostAllocation, QuantityUsage


def cost_question(plan: CostAllocation, start: datetime, end: datetime, further: Sequence[str] = ()) -> SpendQuestion:
    """All cost of a time, split by the plan's period and dimensions, and by `further` ones that a report shows."""
    return SpendQuestion(start, end, tuple(dict.fromkeys((plan.period.value, *plan.dimensions, *further))))


def quantity_question(
    plan: CostAllocation, source: QuantityUsage, over: str, start: datetime, end: datetime
) -> SpendQuestion:
    """What was consumed in the scope, by the plan's period and by the dimension that gets cost by it."""
    return SpendQuestion(start, end, (plan.period.value, over), dict(source.where))
