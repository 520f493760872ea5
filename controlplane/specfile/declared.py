"""What the documents of some kinds declare: values, and what is wrong with them beyond the shape of one document."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from controlplane.problems import Problem

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Declared(Generic[T]):
    """Values in the order of their names. With errors among the problems they are not complete."""

    values: tuple[T, ...] = ()
    problems: tuple[Problem, ...] = ()
