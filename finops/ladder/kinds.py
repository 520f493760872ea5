"""The kinds of documents that declare downshift ladders."""

from typing import Final

from controlplane.specfile import Kind
from finops.ladder.spec import LADDER

KINDS: Final[tuple[Kind, ...]] = (LADDER,)
