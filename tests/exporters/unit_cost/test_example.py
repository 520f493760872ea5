"""The reference platform's unit costs: those of its figures, with targets that mean what they say."""

from decimal import Decimal
from pathlib import Path

from exporters.unit_cost.rules import rule_files
from tests.exporters.unit_cost.unit_costs import unit_costs_of

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "intelgraph" / "money" / "unit-costs.yaml"


def test_the_example_states_the_reference_figures() -> None:
    found = unit_costs_of(EXAMPLE.read_text())
    assert found.problems == ()
    stated = {each.name: (each.target, each.currency, each.per, each.by) for each in found.values}
    assert stated["ingested-events"] == (Decimal("0.10"), "USD", 1000, ("connector",))
    assert stated["graphql-calls"] == (2, "USD", 1_000_000, ("route",))
    assert stated["graphql-calls-by-tenant"] == (2, "USD", 1_000_000, ("tenant",))
    assert stated["jdbc-rows"][2:] == (1000, ("tenant",))
    assert len(rule_files(found.values)) == len(found.values)
