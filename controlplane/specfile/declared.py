"""What the documents of some kinds declare: values, and what is wrong with them beyond the shape of one document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from controlplane.problems import Problem
from controlplane.specfile.document import Document

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Declared(Generic[T]):
    """Values in the order of their names. With errors among the problems they are not complete."""

    values: tuple[T, ...] = ()
    problems: tuple[Problem, ...] = ()


class Named(Protocol):
    """Something that a document declares."""

    @property
    def name(self) -> str:
        """Unique among those of its kind."""
        ...


M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", bound=Named)


def declared_by_name(
    documents: Sequence[Document], model: type[M], read: Callable[[Document, M], tuple[N | None, Sequence[Problem]]]
) -> Declared[N]:
    """What `read` makes of the documents of one model; None leaves one out. Of a name that is there twice the first.

    That it is there twice is told where files are read.
    """
    found: dict[str, N] = {}
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, model):
            value, wrong = read(document, document.value)
            problems += wrong
            if value is not None:
                found.setdefault(value.name, value)
    return Declared(tuple(found[name] for name in sorted(found)), tuple(problems))
