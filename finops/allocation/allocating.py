"""Steps applied to a table of costs. What comes out adds up to what went in, to the last digit."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from finops.allocation.exact import split, total
from finops.allocation.model import CostAllocation, CostKey, CostKind, EvenKey, Scope, SharesKey, Step, UsageKey
from finops.allocation.tables import (
    AllocatedRow,
    AllocatedTable,
    CostTable,
    Key,
    StepOutcome,
    Weights,
    outcome_order,
    row_order,
)

_NEGATIVE_ONLY = "no target has a cost above zero to go by"


def allocate(table: CostTable, plan: CostAllocation, weights: Weights) -> AllocatedTable:
    """Apply the plan's steps in their order.

    The table needs the plan's dimensions as columns; a column named as the plan's period (`month`, `day`) keeps periods
    apart, and currencies always are. Each period and currency is allocated by itself, so allocating partitions of them
    and putting the results `together` equals allocating everything. The order of rows and weights changes nothing.

    What a step cannot spread (no weights, or only weights of zero) stays where it is: a later step may take it, and
    in the end it is unallocated. A credit (negative cost) is spread like any cost. Raises `ValueError` for a dimension
    that is no column, and for a weight below zero.
    """
    missing = [name for name in plan.dimensions if name not in table.columns]
    if missing:
        raise ValueError(f"the table has no column {', '.join(missing)}")
    rows: list[AllocatedRow] = []
    outcomes: list[StepOutcome] = []
    for (currency, period), partition in sorted(_partitions(table, plan).items(), key=lambda each: _order(each[0])):
        made = _Partition(table.columns, plan, weights, currency, period, partition)
        made.run()
        rows += made.rows
        outcomes += made.outcomes
    rows.sort(key=row_order)
    outcomes.sort(key=outcome_order)
    return AllocatedTable(table.columns, plan.target, tuple(rows), tuple(outcomes))


def _partitions(table: CostTable, plan: CostAllocation) -> dict[tuple[str, str | None], list[AllocatedRow]]:
    """Rows by currency and period, each key once, in order."""
    at = table.columns.index(plan.period.value) if plan.period.value in table.columns else None
    sums: dict[tuple[str, Key], list[Decimal]] = defaultdict(list)
    for row in table.rows:
        sums[row.currency, row.key].append(row.cost)
    found: dict[tuple[str, str | None], list[AllocatedRow]] = defaultdict(list)
    for (currency, key), amounts in sums.items():
        period = None if at is None else key[at]
        found[currency, period].append(AllocatedRow(key, currency, total(amounts)))
    return {each: sorted(rows, key=row_order) for each, rows in found.items()}


def _order(partition: tuple[str, str | None]) -> tuple[str, str]:
    return partition[0], partition[1] or ""


class _Partition:
    """The rows of one period and currency, step after step."""

    def __init__(
        self,
        columns: tuple[str, ...],
        plan: CostAllocation,
        weights: Weights,
        currency: str,
        period: str | None,
        rows: list[AllocatedRow],
    ) -> None:
        self.rows = rows
        self.outcomes: list[StepOutcome] = []
        self._at = {name: number for number, name in enumerate(columns)}
        self._plan = plan
        self._weights = weights
        self._currency = currency
        self._period = period

    def run(self) -> None:
        """Every step, in order."""
        for number, step in enumerate(self._plan.steps):
            self._apply(number, step)

    def _apply(self, number: int, step: Step) -> None:
        taken = [row for row in self.rows if self._takes(step, row.key)]
        kept = [row for row in self.rows if not self._takes(step, row.key)]
        weights, reason = self._weights_of(step, kept) if taken else ({}, "nothing fits its selection")
        given: list[AllocatedRow] = []
        spent: list[Decimal] = []
        for row in taken:
            shares = dict(self._open_to(number, step, row.key, weights))
            if row.cost and any(shares.values()):
                given += self._spread(step, row, shares)
                spent.append(row.cost)
            else:
                kept.append(row)
                reason = reason or ("" if not row.cost else "every target is itself among what the step takes")
        self.rows = _merged([*kept, *given])
        self.outcomes.append(
            StepOutcome(
                step.name,
                self._period,
                self._currency,
                total(row.cost for row in taken),
                total(spent),
                tuple(sorted(weights.items())),
                reason,
            )
        )

    def _spread(self, step: Step, row: AllocatedRow, shares: Mapping[str, Decimal]) -> Iterator[AllocatedRow]:
        targets = sorted(target for target, weight in shares.items() if weight)
        at = self._at[step.over]
        for target, part in zip(targets, split(row.cost, [shares[target] for target in targets]), strict=True):
            if part:
                key = (*row.key[:at], target, *row.key[at + 1 :])
                yield AllocatedRow(key, row.currency, part, step.name, row.kind or step.kind)

    def _takes(self, step: Step, key: Key) -> bool:
        if all(dimension != step.over for dimension, _ in step.select) and key[self._at[step.over]] is not None:
            return False
        return self._fits(step.select, key)

    def _fits(self, scope: Scope, key: Key) -> bool:
        return all((key[self._at[dimension]] or "") in values for dimension, values in scope)

    def _open_to(
        self, number: int, step: Step, key: Key, weights: Mapping[str, Decimal]
    ) -> Iterator[tuple[str, Decimal]]:
        """Targets without those from which this step or an earlier one takes: cost would go in circles."""
        emptied = [
            each
            for each in self._plan.steps[: number + 1]
            if any(dimension == step.over for dimension, _ in each.select)
        ]
        at = self._at[step.over]
        for target, weight in weights.items():
            if not any(self._takes(each, (*key[:at], target, *key[at + 1 :])) for each in emptied):
                yield target, weight

    def _weights_of(self, step: Step, others: Sequence[AllocatedRow]) -> tuple[dict[str, Decimal], str]:
        """Weights by target, and why there are none."""
        found, reason = self._by_key(step, others)
        if step.targets:
            found = {target: weight for target, weight in found.items() if target in step.targets}
        if not any(found.values()):
            return found, reason
        return found, ""

    def _by_key(self, step: Step, others: Sequence[AllocatedRow]) -> tuple[dict[str, Decimal], str]:
        match step.key:
            case SharesKey(shares):
                return dict(shares), ""
            case EvenKey():
                targets = step.targets or tuple(self._costs(step.over, others))
                return dict.fromkeys(targets, Decimal(1)), "no target has a cost"
            case UsageKey(name):
                return self._used(name)
            case CostKey(loaded, where):
                base = [row for row in others if (loaded or not row.step) and self._fits(where, row.key)]
                costs = {target: total(amounts) for target, amounts in self._costs(step.over, base).items()}
                return {target: max(cost, Decimal(0)) for target, cost in costs.items()}, _NEGATIVE_ONLY

    def _used(self, name: str) -> tuple[dict[str, Decimal], str]:
        found: dict[str, list[Decimal]] = defaultdict(list)
        for each in self._weights.get(name, ()):
            if each.weight < 0:
                raise ValueError(f"the weight of {each.target} in {name} is negative")
            if each.period in (None, self._period):
                found[each.target].append(each.weight)
        reason = f"the weights of {name} add up to zero" if found else f"there are no weights of {name}"
        return {target: total(weights) for target, weights in found.items()}, reason

    def _costs(self, dimension: str, rows: Sequence[AllocatedRow]) -> dict[str, list[Decimal]]:
        at = self._at[dimension]
        found: dict[str, list[Decimal]] = defaultdict(list)
        for row in rows:
            target = row.key[at]
            if target is not None:
                found[target].append(row.cost)
        return found


def _merged(rows: Sequence[AllocatedRow]) -> list[AllocatedRow]:
    """Rows of the same key, step and kind as one, in order."""
    sums: dict[tuple[Key, str, CostKind | None], list[AllocatedRow]] = defaultdict(list)
    for row in rows:
        sums[row.key, row.step, row.kind].append(row)
    merged = (same[0] if len(same) == 1 else _sum(same) for same in sums.values())
    return sorted(merged, key=row_order)


def _sum(rows: Sequence[AllocatedRow]) -> AllocatedRow:
    return replace(rows[0], cost=total(row.cost for row in rows))
