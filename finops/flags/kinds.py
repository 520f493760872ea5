"""The kinds of documents that say where flags are kept."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

FLAG_STORE: Final = Kind(API_VERSION, "FlagStore", ModelAt("finops.flags.spec", "FlagStoreDocument"))
KINDS: Final[tuple[Kind, ...]] = (FLAG_STORE,)
