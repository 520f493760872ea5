"""The reference platform's plans: tenants and teams, and nothing of a simple month left over but what nobody tagged."""

from decimal import Decimal
from pathlib import Path

from finops.allocation.allocating import allocate
from finops.allocation.tables import UsageWeight
from tests.finops.allocation.plans import a_table, plans_of

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "intelgraph" / "money" / "allocation.yaml"


def test_the_examples_are_right() -> None:
    found = plans_of(EXAMPLE.read_text())
    assert found.problems == ()
    assert [(plan.name, plan.target) for plan in found.values] == [("teams", "team"), ("tenants", "tenant")]


def test_a_month_of_tenants() -> None:
    plan = plans_of(EXAMPLE.read_text()).values[1]
    table = a_table(
        "month tenant service category commitment",
        ("2026-11-01T00:00:00Z", "alpha", "enrichment", "Usage", "-", "10"),
        ("2026-11-01T00:00:00Z", "-", "graphql-gateway", "Usage", "-", "30"),
        ("2026-11-01T00:00:00Z", "-", "Savings Plans", "Usage", "Unused", "7"),
        ("2026-11-01T00:00:00Z", "-", "__idle__", "Usage", "-", "14"),
        ("2026-11-01T00:00:00Z", "-", "Tax", "Tax", "-", "5"),
        ("2026-11-01T00:00:00Z", "-", "mystery", "Usage", "-", "1"),
    )  # fmt: skip
    calls = [UsageWeight("alpha", Decimal(2)), UsageWeight("beta", Decimal(1))]
    done = allocate(table, plan, {"calls": calls})
    assert done.unallocated("USD") == 1
    borne = {name: sum(row.cost for row in done.rows if done.target_of(row) == name) for name in ("alpha", "beta")}
    # 10 + 20 and 10 before the rest goes by what they cost so far, 3:1
    assert borne == {"alpha": Decimal("49.5"), "beta": Decimal("16.5")}
