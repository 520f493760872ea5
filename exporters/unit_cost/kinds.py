"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "exporters.unit_cost.spec"
UNIT_COST: Final = Kind(API_VERSION, "UnitCost", ModelAt(_SPEC, "UnitCostDocument"))
KINDS: Final[tuple[Kind, ...]] = (UNIT_COST,)
