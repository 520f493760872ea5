"""Kinds of documents of this part."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

DELIVERY_POLICY: Final = Kind(
    API_VERSION, "DeliveryPolicy", ModelAt("exporters.dora.policy.spec", "DeliveryPolicyDocument")
)
KINDS: Final[tuple[Kind, ...]] = (DELIVERY_POLICY,)
