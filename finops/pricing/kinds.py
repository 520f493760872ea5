"""The kinds of documents that say what things cost."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "finops.pricing.spec"
PRICE_MAP: Final = Kind(API_VERSION, "PriceMap", ModelAt(_SPEC, "PriceMapDocument"))
KINDS: Final[tuple[Kind, ...]] = (PRICE_MAP,)
