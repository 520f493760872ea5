"""Steps applied to a table of costs. What comes out adds up to what went in, to the last digit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from finops.allocation.exact import Splitter, total
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
    """Rows by currency and period, each key once."""
    at = table.columns.index(plan.period.value) if plan.period.value in table.columns else None
    sums: dict[tuple[str, Key], list[Decimal]] = defaultdict(list)
    for row in table.rows:
        sums[row.currency, row.key].append(row.cost)
    found: dict[tuple[str, str | None], list[AllocatedRow]] = defaultdict(list)
    for (currency, key), amounts in sums.items():
        period = None if at is None else key[at]
        found[currency, period].append(AllocatedRow(key, currency, total(amounts)))
    return found


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
        self.at = {name: number for number, name in enumerate(columns)}
        self._plan = plan
        self._weights = weights
        self._currency = currency
        self._period = period

    def run(self) -> None:
        """Every step, in order."""
        for number, step in enumerate(self._plan.steps):
            self._apply(number, step)

    def _apply(self, number: int, step: Step) -> None:
        taken = [row for row in self.rows if self.takes(step, row.key)]
        kept = [row for row in self.rows if not self.takes(step, row.key)]
        weights, reason = self._weights_of(step, kept) if taken else ({}, "nothing fits its selection")
        split_by = _Spreading(self, number, step, weights)
        given: list[AllocatedRow] = []
        spent: list[Decimal] = []
        for row in taken:
            parts = split_by.parts(row) if row.cost else []
            if parts:
                given += parts
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

    def takes(self, step: Step, key: Key) -> bool:
        """Whether cost of this key is what the step is about."""
        if all(dimension != step.over for dimension, _ in step.select) and key[self.at[step.over]] is not None:
            return False
        return self._fits(step.select, key)

    def _fits(self, scope: Scope, key: Key) -> bool:
        return all((key[self.at[dimension]] or "") in values for dimension, values in scope)

    def emptied_by(self, number: int) -> list[Step]:
        """The steps up to this one that take from values of the dimension over which it spreads."""
        over = self._plan.steps[number].over
        return [
            each for each in self._plan.steps[: number + 1] if any(dimension == over for dimension, _ in each.select)
        ]

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
        at = self.at[dimension]
        found: dict[str, list[Decimal]] = defaultdict(list)
        for row in rows:
            target = row.key[at]
            if target is not None:
                found[target].append(row.cost)
        return found


class _Spreading:
    """How one step splits rows in one partition; the same weights are prepared once."""

    def __init__(self, partition: _Partition, number: int, step: Step, weights: Mapping[str, Decimal]) -> None:
        self._partition = partition
        self._step = step
        self._at = partition.at[step.over]
        self._emptied = partition.emptied_by(number)
        self._weights = sorted((target, weight) for target, weight in weights.items() if weight)
        self._known: dict[tuple[str, ...], Splitter] = {}

    def parts(self, row: AllocatedRow) -> list[AllocatedRow]:
        """The row's cost by target; nothing when no target is left that may get some."""
        open_to = self._weights
        if self._emptied:
            open_to = [each for each in open_to if self._is_open(row.key, each[0])]
        if not open_to:
            return []
        targets = tuple(target for target, _ in open_to)
        if targets not in self._known:
            self._known[targets] = Splitter([weight for _, weight in open_to])
        parts = zip(targets, self._known[targets].split(row.cost), strict=True)
        kind = row.kind or self._step.kind
        return [
            AllocatedRow(self._key(row.key, target), row.currency, part, self._step.name, kind)
            for target, part in parts
            if part
        ]

    def _is_open(self, key: Key, target: str) -> bool:
        """Not where this step or an earlier one takes from: cost would go in circles."""
        return not any(self._partition.takes(each, self._key(key, target)) for each in self._emptied)

    def _key(self, key: Key, target: str) -> Key:
        return (*key[: self._at], target, *key[self._at + 1 :])


def _merged(rows: Sequence[AllocatedRow]) -> list[AllocatedRow]:
    """Rows of the same key, step and kind as one."""
    sums: dict[tuple[Key, str, CostKind | None], list[AllocatedRow]] = defaultdict(list)
    for row in rows:
        sums[row.key, row.step, row.kind].append(row)
    return [same[0] if len(same) == 1 else _sum(same) for same in sums.values()]


def _sum(rows: Sequence[AllocatedRow]) -> AllocatedRow:
    return replace(rows[0], cost=total(row.cost for row in rows))
