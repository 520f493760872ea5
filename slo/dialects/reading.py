"""What a dialect is to the rest: the kinds of its documents, and a function from documents to SLOs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from controlplane.model.slo import SLO
from controlplane.problems import Problem
from controlplane.specfile import Document, Kind

MayBeDeclared = Callable[[str], bool]  # whether a document that could not be read may carry this name


@dataclass(frozen=True, slots=True)
class Made:
    """What documents of one dialect say. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DialectFiles:
    """How files of one dialect are read.

    `makes_slos` are the kinds of documents that make SLOs and that no other document refers to: a change of one
    concerns its own SLOs alone. Documents of the other kinds may concern any SLO. `reader` is the module whose `read`
    gets every document of the workspace, in the order of the files, leaves those of other dialects alone, and need
    not check that names of SLOs are unique: `slo.resolve` does, across dialects. It is imported when a document of
    the dialect is there: most workspaces have none.
    """

    name: str
    kinds: tuple[Kind, ...]
    makes_slos: tuple[Kind, ...]
    reader: str

    def read(self, documents: Sequence[Document], may_be_declared: MayBeDeclared) -> Made:
        """The SLOs of this dialect's documents, and what is wrong with these."""
        if not any(document.kind in self.kinds for document in documents):
            return Made((), ())
        made: Made = import_module(self.reader).read(documents, may_be_declared)
        return made
