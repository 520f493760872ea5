"""The kinds of documents that say where flags are kept."""

from typing import Final

from controlplane.specfile import Kind
from finops.flags.spec import FLAG_STORE

KINDS: Final[tuple[Kind, ...]] = (FLAG_STORE,)
