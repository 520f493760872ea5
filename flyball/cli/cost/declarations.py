"""What commands about unit costs and allocation read of a workspace's files."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from flyball.cli import ExitCode
from flyball.cli.cost.workspace import fail

if TYPE_CHECKING:
    from controlplane.specfile import Declared, Document, SourceFile


class Named(Protocol):
    """Something that a document declares."""

    @property
    def name(self) -> str:
        """Unique in a workspace."""
        ...


T = TypeVar("T", bound=Named)


def declared_or_exit(folder: Path, declared: "Callable[[Sequence[Document]], Declared[T]]") -> dict[str, T]:
    """What the workspace's files declare, by name; mistakes in those documents are shown, and end the program."""
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from flyball.money.reading import documents_in

    files, unreadable = read_folder(folder)
    found = declared(documents_in(files))
    problems = [*unreadable, *found.problems]
    if has_errors(problems):
        fail(as_text(problems, _contents(files), sys.stderr.isatty()), ExitCode.PROBLEMS)
    return {each.name: each for each in found.values}


def one_or_exit(known: Mapping[str, T], name: str, kind: str) -> T:
    """The one of that name; what there is instead is said."""
    from controlplane.specfile import did_you_mean

    if name not in known:
        meant = did_you_mean(name, known)
        there = f"did you mean `{meant}`?" if meant else f"there is {', '.join(sorted(known)) or 'none'}"
        fail(f"no {kind} is named `{name}`: {there}", ExitCode.PROBLEMS)
    return known[name]


def _contents(files: "Sequence[SourceFile]") -> dict[str, bytes]:
    from flyball.shown_sources import showable

    return {file.path: showable(file.path, file.content) for file in files}
