"""`flyball tickets`: issues in trackers that we opened, about costs and actions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import login_name, now, printed
from flyball.cli.declared import fail
from flyball.cli.incidents.opening import AsJSON, By, Database, Folder, opened

if TYPE_CHECKING:
    from controlplane.model.follow_up import Ticket
    from controlplane.ports import Transaction

_HELP: Final = """Tickets that Flyball opened: one for each cost issue (MC-COST) and each action of a postmortem.

They are kept by the Tracker that takes them (kind: Tracker), without one in the folder .flyball/tickets.

\b
Examples:
  flyball tickets list
  flyball tickets show cost:cost.issue:explained:1f2e3d4c5b6a7980
  flyball tickets close cost:cost.issue:explained:1f2e3d4c5b6a7980 --why "a load test"
"""
app = typer.Typer(no_args_is_help=True, help=_HELP)
Key = Annotated[str, typer.Argument(metavar="TICKET", help="Its key, its id in the tracker, or its address there.")]
_MOST: Final = 10_000
_NONE: Final = "No ticket is open."


@app.command("list")
def list_tickets(
    folder: Folder = Path(),
    every: Annotated[bool, typer.Option("--all", help="Closed ones, too.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those whose tracker is not up to date.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many, the newest.")] = 100,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List tickets, oldest first. `waiting`: the tracker does not show yet what it should.

    Exit status: 0, 3 when the database failed.

    \b
    Examples:
      flyball tickets list
      flyball tickets list --all --json | jq '.[] | {title, url}'
    """
    from alerts.postmortems.as_json import ticket_data
    from alerts.tickets.views import tickets_text

    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        kept = transaction.follow_up
        found = (
            kept.tickets(only_untold=True, limit=_MOST) if waiting else kept.tickets(only_open=not every, limit=_MOST)
        )
    found = found[-limit:]
    if not found and not as_json:
        typer.echo(_NONE, err=True)
        return
    printed([ticket_data(each) for each in found], tickets_text(found), as_json=as_json)


@app.command()
def show(key: Key, folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Show a ticket: where it is, and what it says.

    Exit status: 0, 1 when there is no such ticket, 3 when the database failed.

    \b
    Examples:
      flyball tickets show action:3f9a1c02b7d4
    """
    from alerts.postmortems.as_json import ticket_data
    from alerts.tickets.views import ticket_text

    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = _ticket_or_exit(transaction, key)
    printed({**ticket_data(found), "body": found.body}, ticket_text(found), as_json=as_json)


@app.command()
def close(
    key: Key,
    folder: Folder = Path(),
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The cause; the ticket says it.")] = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Close a ticket about costs with its cause. That of an action is closed by `flyball actions done` or `drop`.

    Exit status: 0 (also when it is closed already), 1 when there is no such ticket, 3 when the database failed.

    \b
    Examples:
      flyball tickets close 42 --why "a load test; nobody has to do anything"
    """
    from alerts.postmortems.as_json import ticket_data
    from alerts.tickets import wanting
    from alerts.tickets.drafting import ACTION_PREFIX

    if not why.strip():
        raise typer.BadParameter("say why: the ticket says it", param_hint="--why")
    with opened(folder, database) as store:
        with store.transaction(read_only=True) as transaction:
            found = _ticket_or_exit(transaction, key)
        if found.key.startswith(ACTION_PREFIX):
            id_ = found.key.removeprefix(ACTION_PREFIX)
            fail(f"it is an action's: flyball actions done {id_}, or flyball actions drop {id_}", ExitCode.PROBLEMS)
        closed = wanting.close(store, found.key, by=by or login_name(), cause=why, now=now())
    assert closed is not None
    already = "" if found.is_open else " already"
    printed(ticket_data(closed), f"{closed.key} closed{already}: {closed.title}", as_json=as_json)


def _ticket_or_exit(transaction: "Transaction", asked: str) -> "Ticket":
    found = transaction.follow_up.ticket(asked)
    if found is not None:
        return found
    same = [each for each in transaction.follow_up.tickets(limit=_MOST) if asked in (each.outside_id, each.url)]
    if len(same) == 1:
        return same[0]
    said = f"there is no ticket {asked[:80]!r}: flyball tickets list --all shows those there are"
    if same:
        said = f"several trackers have a ticket {asked[:80]}: {', '.join(each.key for each in same)}"
    return fail(said, ExitCode.PROBLEMS)
