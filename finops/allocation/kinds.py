"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from finops.allocation.spec import AllocationDocument

ALLOCATION: Final = Kind(API_VERSION, "CostAllocation", AllocationDocument)
KINDS: Final[tuple[Kind, ...]] = (ALLOCATION,)
