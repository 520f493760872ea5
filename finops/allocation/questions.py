"""What a plan asks of a ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane.model.spend import SpendQuestion
from finops.allocation.model import CostAllocation, QuantityUsage, UsageKey

ONLY_BILLED: Final = frozenset({"account", "sku", "category", "commitment"})
"""Dimensions of `controlplane.model.spend` that only bills have."""


def cost_question(plan: CostAllocation, start: datetime, end: datetime, further: Sequence[str] = ()) -> SpendQuestion:
    """All cost of a time, split by the plan's period and dimensions, and by `further` ones that a report shows."""
    return SpendQuestion(start, end, tuple(dict.fromkeys((plan.period.value, *plan.dimensions, *further))))


def quantity_question(
    plan: CostAllocation, source: QuantityUsage, over: str, start: datetime, end: datetime
) -> SpendQuestion:
    """What was consumed in the scope and unit, by the plan's period and by the dimension that gets cost by it."""
    return SpendQuestion(start, end, (plan.period.value, over), dict(source.where), source.unit)


def without_what_only_bills_know(plan: CostAllocation) -> tuple[CostAllocation, tuple[str, ...]]:
    """The plan for an estimated ledger: without the steps that need a bill's dimensions, whose names are told.

    Taxes, credits and commitments are on bills only, so nothing is left out that an estimate would have.
    """
    left_out = tuple(step.name for step in plan.steps if any(name in ONLY_BILLED for name, _ in step.select))
    kept = tuple(step for step in plan.steps if step.name not in left_out)
    used = {step.key.name for step in kept if isinstance(step.key, UsageKey)}
    return replace(plan, steps=kept, usage=tuple(each for each in plan.usage if each[0] in used)), left_out
