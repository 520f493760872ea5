"""Kinds of documents that this part reads."""

from typing import Final

from controlplane.specfile import Kind
from exporters.usage.spec import CONTRACT, METER, QUOTA

KINDS: Final[tuple[Kind, ...]] = (METER, QUOTA, CONTRACT)
