"""Plans and tables for tests."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Declared, SourceFile, read
from finops.allocation.declared import declared
from finops.allocation.kinds import KINDS
from finops.allocation.model import CostAllocation, CostKey, CostKind, EvenKey, Key, Scope, Step
from finops.allocation.tables import AllocatedTable, CostRow, CostTable

NOVEMBER = "2026-11-01T00:00:00Z"
DECEMBER = "2026-12-01T00:00:00Z"


def a_step(
    name: str = "shared",
    key: Key | None = None,
    *,
    select: Mapping[str, Sequence[str]] | None = None,
    over: str = "tenant",
    kind: CostKind = CostKind.SHARED,
    targets: Sequence[str] = (),
) -> Step:
    scope: Scope = tuple((name, tuple(values)) for name, values in sorted((select or {}).items()))
    return Step(name, kind, scope, over, key or CostKey(), tuple(targets))


def a_plan(*steps: Step, target: str = "tenant") -> CostAllocation:
    return CostAllocation("plan", target, steps or (a_step("even", EvenKey()),), SourcePosition("plan.yaml", 1, 1))


def a_table(columns: str, *rows: tuple[str, ...], currency: str = "USD") -> CostTable:
    """Rows as texts, the cost last; `-` stands for no value."""
    return CostTable(
        tuple(columns.split()),
        tuple(CostRow(tuple(None if v == "-" else v for v in row[:-1]), currency, Decimal(row[-1])) for row in rows),
    )


def costs(table: AllocatedTable, *columns: str) -> dict[str, Decimal]:
    """Costs by the texts of these columns (the target by default), summed."""
    at = [table.columns.index(name) for name in columns or (table.target,)]
    found: dict[str, Decimal] = {}
    for row in table.rows:
        name = " ".join(row.key[each] or "-" for each in at)
        found[name] = found.get(name, Decimal(0)) + row.cost
    return found


def plans_of(text: str) -> Declared[CostAllocation]:
    """What a file declares, with the problems of its shape, too."""
    result = read([SourceFile("allocation.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    return Declared(found.values, (*result.problems, *found.problems))


def told(problems: Sequence[Problem]) -> list[str]:
    """Problems as `line:column field: message`."""
    return [f"{each.line}:{each.column} {each.field}: {each.message}" for each in problems]
