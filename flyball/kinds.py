"""Every kind of document that a workspace may hold."""

from typing import Final

from controlplane.specfile import Kind
from flyball.workspace_spec import WORKSPACE
from slo import spec as slo_spec

KINDS: Final[tuple[Kind, ...]] = (*slo_spec.KINDS, WORKSPACE)
