"""The YAML kinds of billed costs."""

from typing import Final

from controlplane.specfile import Kind
from finops.billed.spec import COST_SOURCE, EXCHANGE_RATES

KINDS: Final[tuple[Kind, ...]] = (COST_SOURCE, EXCHANGE_RATES)
