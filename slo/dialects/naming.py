"""Names of other tools as names of ours."""

import re
from hashlib import sha256
from typing import Final

from slo.metadata import MAX_NAME

_DIGEST: Final = 8


def slo_name(*parts: str) -> str:
    """A name for an SLO, the same for the same parts: lower-case letters, digits and `-`, at most 63 characters.

    A long one is cut and gets a digest. Empty when the parts hold no letter or digit. Two different names may come out
    the same: `slo.taken_names` tells.
    """
    whole = "-".join(parts)
    name = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")
    if len(name) <= MAX_NAME:
        return name
    digest = sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name[: MAX_NAME - _DIGEST - 1].rstrip('-')}-{digest}"
