"""Every kind of document that a workspace may hold."""

from typing import Final

from controlplane.specfile import Kind
from flyball.workspace_spec import WORKSPACE
from slo import spec as slo_spec
from slo.dialects import DIALECTS

_OTHER_DIALECTS: Final = tuple(kind for dialect in DIALECTS for kind in dialect.kinds)
KINDS: Final[tuple[Kind, ...]] = (*slo_spec.KINDS, *_OTHER_DIALECTS, WORKSPACE)
