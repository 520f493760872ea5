"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "synthetics.golden_paths.spec"
GOLDEN_PATH: Final = Kind(API_VERSION, "GoldenPath", ModelAt(_SPEC, "GoldenPathDocument"))
ROUTE_INVENTORY: Final = Kind(API_VERSION, "RouteInventory", ModelAt(_SPEC, "RouteInventoryDocument"))
KINDS: Final[tuple[Kind, ...]] = (GOLDEN_PATH, ROUTE_INVENTORY)
