"""What a workspace's files say about alerts, together with what else keeps alerts quiet, for commands that explain."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from alerts.model import AlertsDeclared
    from controlplane.model.inhibition import Inhibition
    from controlplane.problems import Problem
    from controlplane.specfile import SourceFile
    from flyball.examining import Examined


def configuration_or_exit(folder: Path) -> "tuple[AlertsDeclared, tuple[Inhibition, ...]]":
    """What the files declare about alerts, and the inhibitions of SLOs and money. Mistakes in them end the program."""
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from flyball.shown_sources import showable

    found, files, problems = _examined(folder)
    if has_errors(problems):
        sources = {file.path: showable(file.path, file.content) for file in files}
        typer.echo(as_text(problems, sources, sys.stderr.isatty()), err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    return _configuration(found)


def readable_configuration(folder: Path) -> "tuple[AlertsDeclared, tuple[Inhibition, ...]]":
    """The same as far as it can be read: mistakes in files keep nobody from asking what happened."""
    from controlplane.problems import has_errors

    found, _, problems = _examined(folder)
    if has_errors(problems):
        hint = "routes are shown as far as they can be read; flyball check says what is wrong"
        typer.echo(f"The files in {folder} have mistakes: {hint}", err=True)
    return _configuration(found)


def _examined(folder: Path) -> "tuple[Examined, Sequence[SourceFile], Sequence[Problem]]":
    from controlplane.adapters.files import read_folder
    from controlplane.problems import in_order
    from flyball.examining import examine

    if not folder.is_dir():
        typer.echo(f"{folder} is not a folder", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    files, unreadable = read_folder(folder)
    found = examine(files)
    return found, files, in_order([*unreadable, *found.problems])


def _configuration(found: "Examined") -> "tuple[AlertsDeclared, tuple[Inhibition, ...]]":
    from flyball.alerting.compiling import inhibitions

    return found.alerts, inhibitions(found.slos, found.money)
