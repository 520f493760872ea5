"""The kinds of documents that cap autoscaling."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "finops.caps.spec"
AUTOSCALING_CAP: Final = Kind(API_VERSION, "AutoscalingCap", ModelAt(_SPEC, "CapDocument"))
KINDS: Final[tuple[Kind, ...]] = (AUTOSCALING_CAP,)
