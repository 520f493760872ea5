"""The kinds of documents that declare downshift ladders."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

LADDER: Final = Kind(API_VERSION, "Ladder", ModelAt("finops.ladder.spec", "LadderDocument"))
KINDS: Final[tuple[Kind, ...]] = (LADDER,)
