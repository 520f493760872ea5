"""The kinds of documents that say what things cost."""

from typing import Final

from controlplane.specfile import Kind
from finops.pricing.spec import PRICE_MAP

KINDS: Final[tuple[Kind, ...]] = (PRICE_MAP,)
