"""What commands about ladders share: the ladders of a workspace, its store, who asks, and how all of it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import end_or_exit, length_or_exit, login_name, new_id, now, printed
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

__all__ = ["end_or_exit", "length_or_exit", "login_name", "new_id", "now", "printed"]

if TYPE_CHECKING:
    from controlplane.store import SqlStore
    from finops.ladder.model import Ladder
    from finops.ladder.orders import Target, Who

Name = Annotated[str, typer.Argument(metavar="NAME", help="The ladder.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who asks; kept in the audit log.", show_default="your login name")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; kept in the audit log.")]
For = Annotated[str, typer.Option("--for", metavar="LENGTH", help="How long, from now on, such as 30m, 2h, 1d.")]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="Until when, with a zone, such as 2026-12-01T18:00Z.")
]


def ladders_or_exit(folder: Path) -> "dict[str, Ladder]":
    """The ladders that the workspace declares, by name; mistakes in their files end the program."""
    from finops.flags.kinds import KINDS as FLAG_KINDS
    from finops.ladder.declared import declared
    from finops.ladder.kinds import KINDS
    from flyball.anomalies.declared import KINDS as ANOMALY_KINDS
    from flyball.money.declared import KINDS as MONEY_KINDS
    from flyball.synthetics.declared import KINDS as CHECK_KINDS

    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    return declared_or_exit(folder, declared, (*KINDS, *FLAG_KINDS, *MONEY_KINDS, *CHECK_KINDS, *ANOMALY_KINDS))


def target_or_exit(store: "SqlStore", folder: Path, name: str) -> "Target":
    """The ladder of that name: declared, or known to the store since it was. What there is instead is said."""
    from finops.ladder.orders import Target

    ladders = ladders_or_exit(folder)
    if name in ladders:
        return Target(name, ladders[name])
    with store.transaction(read_only=True) as transaction:
        state = transaction.ladders.state(name)
    if state is not None and state.applied:
        return Target(name, None)
    if not ladders:
        fail(f"{folder} declares no Ladder: docs/how-to/write-a-ladder.md says how to write one", ExitCode.PROBLEMS)
    return Target(name, one_or_exit(ladders, name, "Ladder"))


def known_or_exit(store: "SqlStore", folder: Path, name: str) -> "Target":
    """The same for what needs no file where the store knows the ladder: broken files keep nobody from holding it."""
    from finops.ladder.orders import Target
    from finops.ladder.standing import SHADOW

    with store.transaction(read_only=True) as transaction:
        is_known = not name.endswith(SHADOW) and transaction.ladders.state(name) is not None
    return Target(name, None) if is_known else target_or_exit(store, folder, name)


@contextmanager
def opened(folder: Path, database: str) -> "Iterator[SqlStore]":
    """The store, with its tables. What it says when it fails, and what is refused, ends the program."""
    from finops.ladder.orders import Refused

    url = database or settings_or_exit(folder).database_url.reveal()
    with opened_store(url, "ladder", Refused) as store:
        yield store


def who(by: str, why: str) -> "Who":
    """Who asks, why, and when. `by` is the login name of the system's user where none is given."""
    from finops.ladder.orders import Refused, Who

    if not why.strip():
        raise typer.BadParameter("say why: it is kept in the audit log", param_hint="--why")
    try:
        return Who(by or login_name(), why, now())
    except Refused as error:
        raise typer.BadParameter(str(error), param_hint="--by or --why") from None
