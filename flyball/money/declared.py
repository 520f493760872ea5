"""Every document about money of a workspace, as values; each feature reads its own kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind

KINDS: Final[tuple[Kind, ...]] = ()


@dataclass(frozen=True, slots=True)
class MoneyDeclared:
    """What is declared, each in the order of its names."""


NOTHING: Final = MoneyDeclared()


def is_about_money(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def money_of(documents: Sequence[Document]) -> tuple[MoneyDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it."""
    own = [document for document in documents if is_about_money(document)]
    if not own:
        return NOTHING, ()
    return NOTHING, ()
