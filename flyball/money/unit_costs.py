"""Unit costs of the past: money from a ledger, units from Prometheus, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.spend import DAY, SpendQuestion
from controlplane.ports import CostLedger, MetricsBackend
from controlplane.problems import Problem
from exporters.unit_cost.history import (
    DailyAmount,
    DailyRow,
    UnitCostRow,
    by_day,
    comparable_until,
    daily_money,
    daily_units,
    unit_costs,
)
from exporters.unit_cost.model import Scope, UnitCost, Units
from exporters.unit_cost.queries import units_of
from finops.allocation.model import CostAllocation
from finops.allocation.questions import without_what_only_bills_know
from flyball.money.allocating import Sources, allocated
from flyball.money.spreading import spread_daily

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PastUnitCost:
    """A unit cost of whole UTC days, [`start`, `until`): later ones the ledger does not know yet.

    With `problems`, the weights of the allocation are not complete, and the figures are not to be shown. `left_out` are
    steps of the allocation that an estimated ledger has nothing for.
    """

    unit_cost: UnitCost
    by: tuple[str, ...]
    start: datetime
    until: datetime
    rows: tuple[UnitCostRow, ...]
    days: tuple[DailyRow, ...]
    problems: tuple[Problem, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which time and split; `billed` tells that the ledger is a billed one, whose scope may be another."""

    start: datetime
    end: datetime
    by: tuple[str, ...] | None = None
    billed: bool = False


def past_unit_cost(
    unit_cost: UnitCost,
    asked: Asked,
    ledger: CostLedger,
    backend: MetricsBackend,
    money: Sequence[DailyAmount] | None = None,
) -> PastUnitCost:
    """What the units of a time cost; `money` in place of the ledger's own, such as after an allocation.

    Errors as in the ports.
    """
    by = unit_cost.by if asked.by is None else asked.by
    table = ledger.spend(SpendQuestion(asked.start, asked.end, (DAY, *by), dict(scope_of(unit_cost, asked))))
    until = comparable_until(table.complete_until, asked.start, asked.end)
    paid = daily_money(table, by, unit_cost.currency) if money is None else tuple(money)
    counted: tuple[DailyAmount, ...] = ()
    known = tuple(each for each in paid if each.day < f"{until:%Y-%m-%dT00:00:00Z}")
    if until > asked.start:

        def daily(units: Units) -> tuple[DailyAmount, ...]:
            series = backend.query_range(units_of(units, _DAY, by), asked.start + _DAY, until, _DAY)
            return daily_units(series, by)

        counted = daily(unit_cost.units)
        if unit_cost.spread is not None and by == unit_cost.by and money is None:
            known = spread_daily(known, daily(unit_cost.spread))
    return PastUnitCost(
        unit_cost,
        by,
        asked.start,
        until,
        unit_costs(known, counted, unit_cost.per),
        by_day(known, counted, unit_cost.per),
    )


def past_unit_cost_allocated(unit_cost: UnitCost, asked: Asked, plan: CostAllocation, sources: Sources) -> PastUnitCost:
    """The same with the money that the plan allocates: what fits the scope after its steps. Errors as in the ports."""
    by = unit_cost.by if asked.by is None else asked.by
    scope = scope_of(unit_cost, asked)
    further = tuple(dict.fromkeys((DAY, *by, *(name for name, _ in scope))))
    usable, left_out = (plan, ()) if asked.billed else without_what_only_bills_know(plan)
    allocation = allocated(usable, sources, asked.start, asked.end, further)
    made = allocation.allocated
    at = {name: number for number, name in enumerate(made.columns)}
    money = [
        DailyAmount(row.key[at[DAY]] or "", tuple(row.key[at[label]] for label in by), row.cost)
        for row in made.rows
        if row.currency == unit_cost.currency and all((row.key[at[name]] or "") in values for name, values in scope)
    ]
    past = past_unit_cost(unit_cost, asked, sources.ledger, sources.backend, money)
    return replace(past, problems=allocation.problems, left_out=left_out)


def scope_of(unit_cost: UnitCost, asked: Asked) -> Scope:
    """Which money it is about, by the dimensions of the ledger that is asked."""
    return unit_cost.billed_scope if asked.billed and unit_cost.billed_scope is not None else unit_cost.scope
