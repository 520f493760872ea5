"""The YAML kinds of billed costs."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "finops.billed.spec"
COST_SOURCE: Final = Kind(API_VERSION, "CostSource", ModelAt(_SPEC, "CostSourceDocument"))
EXCHANGE_RATES: Final = Kind(API_VERSION, "ExchangeRates", ModelAt(_SPEC, "ExchangeRatesDocument"))
KINDS: Final[tuple[Kind, ...]] = (COST_SOURCE, EXCHANGE_RATES)
