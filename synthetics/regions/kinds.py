"""The kind of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "synthetics.regions.spec"
REGION: Final = Kind(API_VERSION, "Region", ModelAt(_SPEC, "RegionDocument"))
KINDS: Final[tuple[Kind, ...]] = (REGION,)
