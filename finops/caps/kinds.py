"""The kinds of documents that cap autoscaling."""

from typing import Final

from controlplane.specfile import Kind
from finops.caps.spec import AUTOSCALING_CAP

KINDS: Final[tuple[Kind, ...]] = (AUTOSCALING_CAP,)
