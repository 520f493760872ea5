"""Container images: which of a workload's is its service's, which version it is, and its package URL.

Sources: distribution/reference (grammar of references); purl-spec, type `oci`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

MOST: Final = 50
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,499}")
_TAG: Final = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_REVISION: Final = re.compile(r"(?:sha-|git-)?([0-9a-f]{7,64})")


@dataclass(frozen=True, slots=True)
class Image:
    """`registry/path/name:tag@sha256:…` in parts."""

    place: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.place.rpartition("/")[2]

    @property
    def version(self) -> str:
        """What people call it by."""
        return self.tag or self.digest[:19]

    @property
    def revision(self) -> str:
        """The revision of the source, where its tag is one, as many pipelines have it; else empty."""
        found = _REVISION.fullmatch(self.tag)
        is_number = self.tag.isdigit() and len(self.tag) < 40
        return found[1] if found and not is_number else ""

    @property
    def artifact(self) -> str:
        """Its package URL, `pkg:oci/NAME@DIGEST?repository_url=PLACE&tag=TAG`, without what is not known."""
        version = f"@{quote(self.digest, safe='')}" if self.digest else ""
        tag = f"&tag={quote(self.tag, safe='')}" if self.tag else ""
        return f"pkg:oci/{quote(self.name.lower(), safe='')}{version}?repository_url={quote(self.place, safe='/')}{tag}"


def image_of(reference: str) -> Image | None:
    """The parts of a reference; None for what is none."""
    if not _REFERENCE.fullmatch(reference):
        return None
    rest, _, digest = reference.partition("@")
    head, colon, tail = rest.rpartition(":")
    place, tag = (head, tail) if colon and "/" not in tail else (rest, "")
    if not place or place.endswith("/") or (tag and not _TAG.fullmatch(tag)):
        return None
    return Image(place, tag, digest)


def image_for(service: str, references: Sequence[str]) -> Image | None:
    """The image of a service's name, else the only one; None where several may be meant."""
    found = [image for each in references[:MOST] if (image := image_of(each)) is not None]
    named = [image for image in found if image.name == service]
    chosen = named or found
    return chosen[0] if len({image.place for image in chosen}) == 1 else None
