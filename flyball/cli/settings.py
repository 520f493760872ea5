"""How commands get their settings, and what they say when those are wrong."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from flyball.settings import Settings


def settings_or_exit(folder: Path, command_line: Mapping[str, str] | None = None) -> "Settings":
    """The settings of the workspace in `folder`. Prints what is wrong with them and exits when they can't be used.

    Options of `command_line` that are empty count as not given. Warnings are printed; they stop nothing.
    """
    from controlplane.problem_report import as_text
    from flyball.settings import FILE_NAME, Settings, load_from_process, masked

    if not folder.is_dir():
        typer.echo(f"{folder} is not a folder", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    found = load_from_process(folder, {name: text for name, text in (command_line or {}).items() if text})
    problems = list(found.warnings) if isinstance(found, Settings) else found
    if problems:
        path = folder / FILE_NAME
        sources = {str(path): masked(path.read_bytes())} if path.is_file() else {}
        typer.echo(as_text(problems, sources, sys.stderr.isatty()), err=True)
    if isinstance(found, Settings):
        return found
    raise typer.Exit(ExitCode.PROBLEMS)
