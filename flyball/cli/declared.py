"""What commands read of a workspace's documents, and how they end when those cannot be used."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from controlplane.problems import Problem
    from controlplane.specfile import Declared, Document, Kind
    from controlplane.specfile.declared import Named


T = TypeVar("T", bound="Named")
V = TypeVar("V")


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say it on stderr and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def values_or_exit(
    folder: Path, declared: "Callable[[Sequence[Document]], Declared[V]]", kinds: "Sequence[Kind]" = ()
) -> tuple[V, ...]:
    """What the workspace's files declare; mistakes in files with these kinds (about money) are shown, and end it all.

    A document that cannot be read must not be taken for one that is not there.
    """
    from controlplane.adapters.files import read_folder
    from controlplane.problems import in_order
    from flyball.money.declared import KINDS as MONEY_KINDS
    from flyball.reading_kinds import read_kinds

    files, unreadable = read_folder(folder)
    documents, broken = read_kinds(files, kinds or MONEY_KINDS)
    found = declared(documents)
    show_or_exit(folder, in_order([*unreadable, *broken, *found.problems]))
    return found.values


def show_or_exit(folder: Path, problems: "Sequence[Problem]") -> None:
    """Show mistakes with the lines that they are about and end the program; warnings alone are let pass."""
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from flyball.shown_sources import showable

    if has_errors(problems):
        sources = {file.path: showable(file.path, file.content) for file in read_folder(folder)[0]}
        fail(as_text(problems, sources, sys.stderr.isatty()), ExitCode.PROBLEMS)


def declared_or_exit(
    folder: Path, declared: "Callable[[Sequence[Document]], Declared[T]]", kinds: "Sequence[Kind]" = ()
) -> dict[str, T]:
    """The same by name."""
    return {each.name: each for each in values_or_exit(folder, declared, kinds)}


def one_or_exit(known: Mapping[str, T], name: str, kind: str) -> T:
    """The one of that name; what there is instead is said."""
    from controlplane.specfile import did_you_mean

    if name not in known:
        meant = did_you_mean(name, known)
        there = f"did you mean `{meant}`?" if meant else f"there is {', '.join(sorted(known)) or 'none'}"
        fail(f"no {kind} is named `{name}`: {there}", ExitCode.PROBLEMS)
    return known[name]
