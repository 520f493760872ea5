"""Kinds of documents that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "exporters.usage.spec"
METER: Final = Kind(API_VERSION, "Meter", ModelAt(_SPEC, "MeterDocument"))
QUOTA: Final = Kind(API_VERSION, "UsageQuota", ModelAt(_SPEC, "QuotaDocument"))
CONTRACT: Final = Kind(API_VERSION, "ServiceContract", ModelAt(_SPEC, "ContractDocument"))
KINDS: Final[tuple[Kind, ...]] = (METER, QUOTA, CONTRACT)
