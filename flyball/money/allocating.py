"""A plan of allocation applied to a ledger: what it needs is asked for, and what is missing is said."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.spend import SpendTable
from controlplane.ports import CostLedger, MetricsBackend
from controlplane.problems import Problem
from controlplane.promql import with_window
from finops.allocation.allocating import allocate
from finops.allocation.model import CostAllocation, CsvUsage, PromqlUsage, QuantityUsage, UsageKey, UsageSource
from finops.allocation.questions import cost_question, quantity_question
from finops.allocation.tables import AllocatedTable, CostTable, UsageWeight
from finops.allocation.weighing import Weighed, weights_of_csv, weights_of_quantities, weights_of_series

_DAY: Final = timedelta(days=1)
_A_DAY: Final = "1d"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where cost and weights come from. `read` gives the bytes of a file beside the plan's own; it raises `OSError`."""

    ledger: CostLedger
    backend: MetricsBackend
    read: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Allocation:
    """A time's cost as the ledger has it and as the plan spreads it; with problems, its weights are not complete."""

    spend: SpendTable
    cost: CostTable
    allocated: AllocatedTable
    weights: dict[str, tuple[UsageWeight, ...]]
    problems: tuple[Problem, ...] = ()


def allocated(
    plan: CostAllocation, sources: Sources, start: datetime, end: datetime, further: tuple[str, ...] = ()
) -> Allocation:
    """All cost of a time after the plan's steps; `further` dimensions are kept. Errors as in the ports."""
    spend = sources.ledger.spend(cost_question(plan, start, end, further))
    cost = CostTable.of(spend, plan.figure)
    weights: dict[str, tuple[UsageWeight, ...]] = {}
    problems: list[Problem] = []
    for name, source in plan.usage:
        found = _weighed(plan, name, source, sources, start, end)
        weights[name] = found.weights
        problems += found.problems
    return Allocation(spend, cost, allocate(cost, plan, weights), weights, tuple(problems))


def _weighed(
    plan: CostAllocation, name: str, source: UsageSource, sources: Sources, start: datetime, end: datetime
) -> Weighed:
    match source:
        case PromqlUsage(query, label):
            asked = with_window(query, _A_DAY)
            series = sources.backend.query_range(asked, start + _DAY, end, _DAY)
            return Weighed(weights_of_series(series, label, plan.period))
        case QuantityUsage(_, unit):
            over = _over(plan, name)
            table = sources.ledger.spend(quantity_question(plan, source, over, start, end))
            return Weighed(weights_of_quantities(table, over, plan.period, unit))
        case CsvUsage(file):
            try:
                content = sources.read(file)
            except OSError as error:
                why = f"cannot be read: {error.strerror}"
                return Weighed((), (Problem(file, 1, 1, "", why, rule="weights"),))
            return weights_of_csv(file, content, _over(plan, name), plan.period)


def _over(plan: CostAllocation, usage: str) -> str:
    """The dimension that the first step with this usage spreads over."""
    using = (step.over for step in plan.steps if isinstance(step.key, UsageKey) and step.key.name == usage)
    return next(using, plan.target)
