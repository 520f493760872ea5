"""The SLOs that a command is about: read, chosen by name, or the reason why there are none."""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from controlplane.model.slo import SLO
    from controlplane.specfile import SourceFile


def slos_or_exit(path: Path, only: Sequence[str] = ()) -> "Sequence[SLO]":
    """The SLOs of these files whose names fit one of the globs `only`; mistakes are shown, and end the program."""
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from flyball.cli.check import examined

    files, problems, slos = examined([path])
    if has_errors(problems):
        fail(as_text(problems, _contents(files), sys.stderr.isatty()), ExitCode.PROBLEMS)
    unused = [pattern for pattern in only if not any(fnmatchcase(slo.name, pattern) for slo in slos)]
    if unused:
        fail(f"no SLO is named {', '.join(unused)}", ExitCode.PROBLEMS)
    if not slos:
        fail("no SLOs in these files", ExitCode.PROBLEMS)
    return [slo for slo in slos if not only or any(fnmatchcase(slo.name, pattern) for pattern in only)]


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say it on stderr and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _contents(files: "Sequence[SourceFile]") -> dict[str, bytes]:
    from flyball.shown_sources import showable

    return {file.path: showable(file.path, file.content) for file in files}
