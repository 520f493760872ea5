"""Every kind of document that a workspace may hold."""

from typing import Final

from controlplane.specfile import Kind
from flyball.workspace_spec import WORKSPACE

KINDS: Final[tuple[Kind, ...]] = (WORKSPACE,)
