"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "finops.allocation.spec"
ALLOCATION: Final = Kind(API_VERSION, "CostAllocation", ModelAt(_SPEC, "AllocationDocument"))
KINDS: Final[tuple[Kind, ...]] = (ALLOCATION,)
