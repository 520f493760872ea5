"""Package URLs, as far as they tell from which source an artifact was made.

Source: ECMA-427 and https://github.com/package-url/purl-spec (how to parse; types bitbucket, git, github, gitlab,
golang, oci; qualifiers `vcs_url`, `repository_url`, `tag`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from exporters.events.entities import repository_name

LONGEST: Final = 2000
_MOST_QUALIFIERS: Final = 50
_TYPE: Final = re.compile(r"[a-z][a-z0-9.+-]*")
_HOSTS: Final = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_REVISION: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_PSEUDO_VERSION: Final = re.compile(r".*-\d{14}-([0-9a-f]{12})")  # of a Go module without a tag
_VCS: Final = re.compile(r"(?:git\+)?([a-z+]+://[^@#\s]*(?:@[^@#/\s]+/[^@#\s]*)?|[^@#:\s/]+@[^@#\s]+)(?:@([^@#\s]+))?")


@dataclass(frozen=True, slots=True)
class Purl:
    """A package URL in parts, percent-decoded; cases are as written. Qualifiers without a value are left out."""

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it was made from: a repository (as `repository_name` has it) and a revision; empty where unknown."""

    repository: str = ""
    revision: str = ""


UNKNOWN: Final = Origin()


def parse(text: str) -> Purl | None:
    """The parts; None for whatever is no package URL. Only `pkg:TYPE/NAME` is needed."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() != "pkg" or len(text) > LONGEST:
        return None
    rest = rest.partition("#")[0]
    rest, _, asked = rest.partition("?")
    type_, slash, rest = rest.lstrip("/").partition("/")
    if not slash or not _TYPE.fullmatch(type_.lower()):
        return None
    rest, _, version = rest.rpartition("@") if "@" in rest else (rest, "", "")
    segments = [unquote(segment) for segment in rest.split("/") if segment]
    if not segments:
        return None
    return Purl(type_.lower(), "/".join(segments[:-1]), segments[-1], unquote(version), _qualifiers(asked))


def origin(purl: Purl) -> Origin:
    """Its source: what `vcs_url` says, else what a type says that names repositories."""
    said = _of_vcs(purl.qualifiers.get("vcs_url", ""))
    if said is not UNKNOWN:
        return said if said.revision else Origin(said.repository, _revision_in(purl))
    path = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    if purl.type in _HOSTS and purl.namespace:
        host = repository_name(purl.qualifiers.get("repository_url", "")) or _HOSTS[purl.type]
        return Origin(repository_name(f"{host}/{path}"), purl.version)
    if purl.type == "git" and purl.namespace:
        return Origin(repository_name(path), purl.version)
    if purl.type == "golang" and purl.namespace.split("/", 1)[0] in _HOSTS.values():
        return Origin(repository_name("/".join(path.split("/")[:3])), _revision_in(purl))
    return UNKNOWN


def version_of(purl: Purl) -> str:
    """Its version for people: a tag rather than a digest, and no revision; empty where it has none."""
    if tag := purl.qualifiers.get("tag", ""):
        return tag
    is_source = purl.type in _HOSTS or purl.type == "git"
    return "" if is_source and is_revision(purl.version) else purl.version


def is_revision(text: str) -> bool:
    """Whether it looks like a commit's hash, whole or shortened. A number of up to 39 digits is a number."""
    return _REVISION.fullmatch(text) is not None and (len(text) >= 40 or not text.isdecimal())


def _qualifiers(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split("&", _MOST_QUALIFIERS)[:_MOST_QUALIFIERS])
    return {key.lower(): unquote(value) for key, _, value in pairs if key and value}


def _of_vcs(text: str) -> Origin:
    """`git+https://host/path@REVISION#subpath`, as pip and SPDX write it."""
    found = _VCS.fullmatch(text.partition("#")[0])
    if found is None:
        return UNKNOWN
    return Origin(repository_name(found[1]), found[2] or "")


def _revision_in(purl: Purl) -> str:
    pseudo = _PSEUDO_VERSION.fullmatch(purl.version)
    if pseudo:
        return pseudo[1]
    return purl.version if is_revision(purl.version) else ""
