"""Every kind of document that a workspace may hold, and what a document is to the others."""

from typing import Final

from controlplane.specfile import Document, Kind
from flyball.declared import KINDS as OTHER_KINDS
from flyball.workspace_spec import WORKSPACE
from slo import settling, templates
from slo.dialects import DIALECTS
from slo.openslo import kinds as openslo_kinds

_OTHER_DIALECTS: Final = tuple(kind for dialect in DIALECTS for kind in dialect.kinds)
KINDS: Final[tuple[Kind, ...]] = (
    *openslo_kinds.KINDS,
    *templates.KINDS,
    *_OTHER_DIALECTS,
    *settling.KINDS,
    *OTHER_KINDS,
    WORKSPACE,
)

MAKES_SLOS: Final[tuple[Kind, ...]] = (
    *openslo_kinds.MAKES_SLOS,
    *(kind for dialect in DIALECTS for kind in dialect.makes_slos),
)
"""Kinds of documents that make SLOs and that no other document depends on."""

REFERRED_TO: Final = tuple(kind for kind in KINDS if kind is not WORKSPACE and kind not in MAKES_SLOS)
"""Kinds of which a document may concern SLOs in other files."""


def concerns_others(document: Document) -> bool:
    """Whether SLOs in other files may mean something else because of this document."""
    return document.kind in REFERRED_TO


def name_of(document: Document) -> tuple[str, ...] | None:
    """What may be there only once: a kind, `metadata.namespace` and `metadata.name`; None when it has no name."""
    about = getattr(document.value, "metadata", None)
    name = getattr(about, "name", None)
    return (document.kind.name, getattr(about, "namespace", None) or "", name) if isinstance(name, str) else None


def settles(document: Document) -> bool:
    """Whether it settles something about what other documents make, or refers to SLOs: money, checks from outside."""
    return document.kind in settling.KINDS or document.kind in OTHER_KINDS
