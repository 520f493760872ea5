"""Every document about checks from outside, golden paths and status pages, as values."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind

KINDS: Final[tuple[Kind, ...]] = ()


@dataclass(frozen=True, slots=True)
class ChecksDeclared:
    """What is declared, each in the order of its names."""

    def in_words(self) -> str:
        """How much is declared: `6 probes, 1 journey`; empty where nothing is."""
        return ""


NO_CHECKS: Final = ChecksDeclared()


def is_about_checks(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def checks_of(
    documents: Sequence[Document],
    slos: Collection[str] | None = None,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> tuple[ChecksDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it.

    `slos` are the names of all SLOs, None when they are not known. `may_be_declared`: whether a document that was not
    read may have this name.
    """
    return NO_CHECKS, ()
