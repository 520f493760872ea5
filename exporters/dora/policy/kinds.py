"""Kinds of documents of this part."""

from typing import Final

from controlplane.specfile import Kind

KINDS: Final[tuple[Kind, ...]] = ()
