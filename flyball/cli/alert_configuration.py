"""What a workspace's files say about alerts, together with what else keeps alerts quiet, for commands that explain."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from alerts.model import AlertsDeclared
    from controlplane.model.inhibition import Inhibition


def configuration_or_exit(folder: Path) -> "tuple[AlertsDeclared, tuple[Inhibition, ...]]":
    """What the files declare about alerts, and the inhibitions of SLOs and money. Mistakes in them end the program."""
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors, in_order
    from flyball.alerting.compiling import inhibitions
    from flyball.examining import examine
    from flyball.shown_sources import showable

    if not folder.is_dir():
        typer.echo(f"{folder} is not a folder", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    files, unreadable = read_folder(folder)
    found = examine(files)
    problems = in_order([*unreadable, *found.problems])
    if has_errors(problems):
        sources = {file.path: showable(file.path, file.content) for file in files}
        typer.echo(as_text(problems, sources, sys.stderr.isatty()), err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    return found.alerts, inhibitions(found.slos, found.money)
