"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from synthetics.golden_paths.spec import GoldenPathDocument, RouteInventoryDocument

GOLDEN_PATH: Final = Kind(API_VERSION, "GoldenPath", GoldenPathDocument)
ROUTE_INVENTORY: Final = Kind(API_VERSION, "RouteInventory", RouteInventoryDocument)
KINDS: Final[tuple[Kind, ...]] = (GOLDEN_PATH, ROUTE_INVENTORY)
