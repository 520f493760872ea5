"""What commands about money read of a workspace: its budgets and its billed ledger."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from controlplane.model.budget import Budget


def budgets_or_exit(folder: Path, name: str = "") -> "Sequence[Budget]":
    """The budgets of a workspace, or the one of that name; mistakes in them are shown, and end the program."""
    from controlplane.specfile import did_you_mean
    from finops.budgets.declared import declared
    from flyball.cli.cost.declarations import declared_or_exit

    known = declared_or_exit(folder, declared)
    if name and name not in known:
        meant = did_you_mean(name, known)
        fail(f"no budget is named `{name}`" + (f", did you mean `{meant}`?" if meant else ""), ExitCode.PROBLEMS)
    if not known:
        fail(f"{folder} declares no Budget: docs/how-to/budget-money.md says how to write one", ExitCode.PROBLEMS)
    return [known[name]] if name else list(known.values())


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say it on stderr and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
