"""Unit costs for tests."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Declared, SourceFile, read
from exporters.unit_cost.declared import declared
from exporters.unit_cost.kinds import KINDS
from exporters.unit_cost.model import UnitCost, Units

EVENTS = Units("ingested events", counter='ingest_events_total{job="ingest"}')


def a_unit_cost(name: str = "ingest", **changes: Any) -> UnitCost:
    """At most 0.10 USD for 1,000 ingested events, by connector, unless said otherwise."""
    standard = UnitCost(
        name, "USD", EVENTS, Decimal(1000), SourcePosition("unit.yaml", 1, 1), (("service", ("ingest",)),),
        by=("connector",), target=Decimal("0.10"),
    )  # fmt: skip
    return replace(standard, **changes)


def unit_costs_of(text: str) -> Declared[UnitCost]:
    """What a file declares, with the problems of its shape, too."""
    result = read([SourceFile("unit.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    return Declared(found.values, (*result.problems, *found.problems))


def told(problems: Sequence[Problem]) -> list[str]:
    """Problems as `line:column field: message`."""
    return [f"{each.line}:{each.column} {each.field}: {each.message}" for each in problems]
