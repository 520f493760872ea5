"""What commands about incidents share: the store, the desk, what is declared, and how all of it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import login_name, new_id
from flyball.cli.declared import fail
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.incidents.desk import Desk
    from alerts.model import AlertsDeclared
    from controlplane.model.incident import Incident
    from controlplane.ports import Transaction
    from controlplane.store import SqlStore

VIA: Final = "cli"
IncidentName = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its name, such as INC-7, or its id.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
By = Annotated[
    str,
    typer.Option("--by", metavar="NAME", help="Who does it; kept in the audit log.", show_default="your login name"),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; everybody who is told reads it.")]


@contextmanager
def opened(folder: Path, database: str) -> "Iterator[SqlStore]":
    """The store, with its tables. What it says when it fails, and what is refused, ends the program."""
    from alerts.incidents.desk import Refused, UnknownIncident

    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    url = database or settings_or_exit(folder).database_url.reveal()
    try:
        with opened_store(url, "incidents", Refused) as store:
            yield store
    except UnknownIncident as error:
        fail(f"flyball incidents: {error}", ExitCode.PROBLEMS)


@contextmanager
def at_desk(folder: Path, database: str) -> "Iterator[Desk]":
    """The desk over it."""
    from alerts.incidents.desk import Desk

    declared = declared_in(folder)
    with opened(folder, database) as store:
        yield Desk(store, lambda: declared, new_id)


def declared_in(folder: Path) -> "AlertsDeclared":
    """What can be read of who is told. Mistakes in files keep nobody from acknowledging: `flyball check` tells them."""
    from controlplane.adapters.files import read_folder
    from flyball.alerting.reading import alerts_in

    return alerts_in(read_folder(folder)[0]).declared


def console_url(folder: Path) -> str:
    """Where people reach the console; empty where nobody said."""
    return settings_or_exit(folder).external_url


def incident_or_exit(transaction: "Transaction", name: str) -> "Incident":
    """The incident of that name or id."""
    from alerts.incidents.desk import UnknownIncident

    found = transaction.incidents.incident(name)
    if found is None:
        raise UnknownIncident(name)
    return found


def who(by: str) -> str:
    """Who asks: the login name of the system's user where none is given."""
    return by or login_name()
