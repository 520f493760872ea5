"""The command line. Command modules import what is heavy inside their functions, so that the CLI answers at once."""

import errno
import os
import sys
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Final

import typer


class ExitCode(IntEnum):
    """What a shell learns. Usage errors are 2, as everywhere."""

    OK = 0
    DIFFERENCE = 2  # of `flyball plan`: applying would change something
    PROBLEMS = 1  # the user's files are at fault; every problem was printed
    OUTSIDE = 3  # Prometheus, the database or another server failed or refused


_HELP: Final = """A control plane for error budgets and money.

\b
Examples:
  flyball demo          # a simulated platform with a month behind it
  flyball init shop     # a first workspace of your own
  flyball check shop
  flyball plan shop
"""

app = typer.Typer(
    name="flyball",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main() -> None:
    """Run the command line."""
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # a command line: it would load rich, pygments, click
    import flyball.cli.commands  # noqa: F401 -- registers the commands; they import this package

    _open_what_is_closed()
    stdout = sys.stdout
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where a full disk can still be told
    except SystemExit:
        if sys.stdout is stdout:
            raise
        # Typer put something else there, because the reader was gone in the middle.
    except BrokenPipeError:
        _discard_output()  # of a reader that has seen enough, such as `head`
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _discard_output()
        with suppress(OSError):
            sys.stderr.write(f"the output cannot be written: {error.strerror}\n")
        os._exit(ExitCode.OUTSIDE)  # what standard error could not take must not be tried again


def _open_what_is_closed() -> None:
    """Standard streams that the caller closed read and write nothing, instead of the next file that is opened."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 -- open until the process ends


def _discard_output() -> None:
    """Let nothing try to write once more when the process ends."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
