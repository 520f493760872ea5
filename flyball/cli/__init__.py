"""The command line. Command modules import what is heavy inside their functions, so that the CLI answers at once."""

from enum import IntEnum
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


def main() -> None:
    """Run the command line."""
    import flyball.cli.commands  # noqa: F401 -- registers the commands; they import this package

    app()
