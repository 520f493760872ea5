"""The kinds of documents that say who is told when nobody acknowledges."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

ESCALATION_POLICY: Final = Kind(
    API_VERSION, "EscalationPolicy", ModelAt("alerts.escalation.spec", "EscalationPolicyDocument")
)
KINDS: Final[tuple[Kind, ...]] = (ESCALATION_POLICY,)
