"""The budgets that commands about money are asked about."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail

if TYPE_CHECKING:
    from controlplane.model.budget import Budget


def budgets_or_exit(folder: Path, name: str = "") -> "Sequence[Budget]":
    """The budgets of a workspace, or the one of that name; mistakes in them are shown, and end the program."""
    from controlplane.specfile import did_you_mean
    from finops.budgets.declared import declared

    known = declared_or_exit(folder, declared)
    if name and name not in known:
        meant = did_you_mean(name, known)
        fail(f"no budget is named `{name}`" + (f", did you mean `{meant}`?" if meant else ""), ExitCode.PROBLEMS)
    if not known:
        fail(f"{folder} declares no Budget: docs/how-to/budget-money.md says how to write one", ExitCode.PROBLEMS)
    return [known[name]] if name else list(known.values())
