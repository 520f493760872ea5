"""Unit costs and prices that do not fit each other."""

from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.problems import Severity
from controlplane.specfile import SourceFile, read
from exporters.unit_cost.model import Units
from finops.pricing.model import Item, OpenCost, PriceMap
from flyball.checking import check_files
from flyball.money.declared import KINDS, money_of
from flyball.money.joining import unit_cost_label_problems
from tests.exporters.unit_cost.unit_costs import a_unit_cost

MONEY = Path(__file__).resolve().parents[2] / "examples" / "intelgraph" / "money"
PRICES = PriceMap("p", "USD", (Item("pods", "pod", None, by=("service",), labels=(("provider", "aws"),)),))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["spec.by: no price keeps the label `connector`"]),
        ({"spread": Units("events", counter="x")}, []),
        ({"by": ("provider", "price")}, []),
        (
            {"by": (), "scope": (("tenant", ("a",)), ("team", ("",)))},
            ["spec.scope.tenant: no price keeps the label `tenant`"],
        ),
        ({"currency": "EUR"}, ["spec.currency: no PriceMap has a price in EUR: there is no spend to divide"]),
    ],
)
def test_a_unit_cost_that_can_never_have_a_value_is_told(changes: dict[str, object], told: list[str]) -> None:
    found = list(unit_cost_label_problems([replace(a_unit_cost(), **changes)], [PRICES]))  # type: ignore[arg-type]
    assert [f"{each.field}: {each.message}" for each in found] == told
    assert all(each.severity is Severity.WARNING for each in found)


def test_without_price_maps_somebody_else_records_the_spend() -> None:
    assert list(unit_cost_label_problems([a_unit_cost()], [])) == []


def test_nodes_keep_their_services_and_their_own_labels() -> None:
    nodes = Item("nodes", "node", None, by=(), opencost=OpenCost(node_labels=("region",)))
    fed = replace(a_unit_cost(), by=("service", "region"))
    assert list(unit_cost_label_problems([fed], [PriceMap("p", "USD", (nodes,))])) == []


def test_a_check_tells_them() -> None:
    text = (MONEY / "unit-costs.yaml").read_text() + "---\n" + (MONEY / "prices.yaml").read_text()
    assert not check_files([SourceFile("money.yaml", text.encode())]).problems
    euros = text.replace("currency: USD", "currency: EUR", 1)
    found = check_files([SourceFile("money.yaml", euros.encode())]).problems
    assert [problem.rule for problem in found] == ["unit-cost-label"]


def test_the_example_fits() -> None:
    files = [SourceFile(path.name, path.read_bytes()) for path in sorted(MONEY.glob("*.yaml"))]
    money, _ = money_of(read(files, KINDS).documents)
    assert len(money.unit_costs) == 5
    assert list(unit_cost_label_problems(money.unit_costs, money.price_maps)) == []
