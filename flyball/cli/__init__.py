"""The command line. Command modules import what is heavy inside their functions, so that the CLI answers at once."""

from enum import IntEnum

import typer


class ExitCode(IntEnum):
    """What a shell learns. Usage errors are 2, as everywhere."""

    OK = 0
    DIFFERENCE = 2  # of `flyball plan`: applying would change something
    PROBLEMS = 1  # the user's files are at fault; every problem was printed
    OUTSIDE = 3  # Prometheus, the database or another server failed or refused


app = typer.Typer(
    name="flyball",
    help="A control plane for error budgets and money.\n\n\b\nExamples:\n  flyball demo\n  flyball init shop\n  flyball check shop\n  flyball plan shop",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    import flyball.cli.commands  # noqa: F401 -- registers the commands; they import this package

    app()
