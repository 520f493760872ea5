"""The kind of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from synthetics.regions.spec import RegionDocument

REGION: Final = Kind(API_VERSION, "Region", RegionDocument)
KINDS: Final[tuple[Kind, ...]] = (REGION,)
