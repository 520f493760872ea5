"""The forms in which rules are handed to other systems, and what they are addressed to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class RuleForm(Enum):
    """The forms, by the names that users type."""

    RULES = "rules"
    PROMETHEUS_RULE = "prometheus-rule"
    VM_RULE = "vmrule"
    CONFIG_MAP = "configmap"
    MIMIR = "mimir"
    VMALERT = "vmalert"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the rules go: the Kubernetes namespace (empty: that of whoever applies the file), labels by which an
    operator selects objects, and the namespace of Mimir's ruler.
    """

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ruler_namespace: str = "flyball"
