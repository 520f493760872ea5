"""A month's showback: the ledger asked, cost allocated for this month and the one before, unit costs beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.conventions import SERVICE
from controlplane.model.source import SourcePosition
from controlplane.model.spend import SpendQuestion, SpendTable
from controlplane.problems import Problem
from exporters.unit_cost.model import UnitCost
from finops.allocation.exact import total
from finops.allocation.model import CostAllocation, Figure
from finops.allocation.questions import without_what_only_bills_know
from finops.allocation.showback import Showback, statements
from flyball.money.allocating import Sources, allocated
from flyball.money.months import month_before, next_month
from flyball.money.unit_costs import Asked, PastUnitCost, past_unit_cost

NO_PLAN: Final = "direct-cost-only"
_FIRST_DAYS: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class MonthReport:
    """All that a showback shows. `chargeback` adds invoice lines; with problems, weights are not complete.

    `left_out` are steps of the plan that an estimated ledger has nothing for.
    """

    showback: Showback
    unit_costs: tuple[PastUnitCost, ...] = ()
    problems: tuple[Problem, ...] = ()
    chargeback: bool = False
    ledger: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which month, by which plan; `unit_costs` are those that are split by the plan's target."""

    month: datetime
    plan: CostAllocation
    unit_costs: Sequence[UnitCost] = ()
    billed: bool = True
    chargeback: bool = False


def plan_for(target: str, plans: Sequence[CostAllocation]) -> CostAllocation:
    """The plan whose target this is; without any, direct cost is shown and the rest stays unallocated."""
    fitting = [plan for plan in plans if plan.target == target]
    return fitting[0] if fitting else CostAllocation(NO_PLAN, target, (), SourcePosition("", 1, 1))


def month_report(wanted: Wanted, sources: Sources) -> MonthReport:
    """The report of one calendar month in UTC, as far as the ledger knows it. Errors as in the ports."""
    plan, left_out = (wanted.plan, ()) if wanted.billed else without_what_only_bills_know(wanted.plan)
    month = wanted.month
    end = next_month(month)
    now = allocated(plan, sources, month, end, (SERVICE,))
    before = allocated(plan, sources, month_before(month), month, (SERVICE,))
    made = statements(
        now.allocated,
        now.cost,
        before.allocated if _is_whole(wanted, sources) and before.cost.rows else None,
        what=SERVICE,
        invoice=_invoiced(now.spend) if plan.figure is Figure.EFFECTIVE and wanted.billed else None,
    )
    asked = Asked(month, end, (plan.target,), wanted.billed)
    costs = tuple(past_unit_cost(each, asked, sources.ledger, sources.backend) for each in wanted.unit_costs)
    showback = Showback(month, plan, made, now.spend.complete_until)
    ledger = "billed" if wanted.billed else "estimated"
    return MonthReport(showback, costs, now.problems, wanted.chargeback, ledger, left_out)


def _is_whole(wanted: Wanted, sources: Sources) -> bool:
    """Whether the month before can be compared: an estimate may have begun in its middle, a bill has all of it."""
    if wanted.billed:
        return True
    start = month_before(wanted.month)
    first_days = sources.ledger.spend(SpendQuestion(start, start + _FIRST_DAYS))
    return bool(first_days.rows)


def _invoiced(spend: SpendTable) -> dict[str, Decimal]:
    """BilledCost by currency."""
    currencies = {row.currency for row in spend.rows}
    return {each: total(row.billed for row in spend.rows if row.currency == each) for each in currencies}
