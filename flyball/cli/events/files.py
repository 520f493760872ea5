"""Events of files and of standard input, as commands read them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail

if TYPE_CHECKING:
    from exporters.events.reading import Candidate

STDIN = "-"


def candidates_or_exit(path: str, *, hint: str = "") -> "list[Candidate]":
    """All of a file; `-` is standard input. A file that is not there is an error of usage, with a hint."""
    from exporters.events.event_files import candidates

    if path == STDIN:
        return list(candidates(sys.stdin.buffer))
    try:
        with Path(path).open("rb") as stream:
            return list(candidates(stream))
    except FileNotFoundError:
        raise typer.BadParameter(f"{path}: no such file{hint}") from None
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
