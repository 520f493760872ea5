"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from exporters.unit_cost.spec import UnitCostDocument

UNIT_COST: Final = Kind(API_VERSION, "UnitCost", UnitCostDocument)
KINDS: Final[tuple[Kind, ...]] = (UNIT_COST,)
