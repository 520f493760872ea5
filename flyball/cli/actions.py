"""`flyball actions`: what shall be done so that incidents do not happen again, by whom, until when."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import login_name, new_id, now, printed
from flyball.cli.declared import fail
from flyball.cli.incidents.opening import AsJSON, By, Database, Folder, IncidentName, opened

if TYPE_CHECKING:
    from alerts.postmortems.actions import ActionDesk
    from alerts.postmortems.model import TrackedAction
    from controlplane.model.follow_up import Action, ActionState
    from controlplane.ports import Transaction

_HELP: Final = """Actions of postmortems: who does what until when, so that it does not happen again.

Each becomes a ticket in the tracker that takes actions, and is closed with it.

\b
Examples:
  flyball actions add INC-7 "Cap the connection pool" --owner ben --due 2026-12-15
  flyball actions list
  flyball actions list --overdue
  flyball actions done 3f9a1c02b7d4 --why "merged in 1.8.1"
"""
app = typer.Typer(no_args_is_help=True, help=_HELP)
ActionId = Annotated[str, typer.Argument(metavar="ACTION", help="Its id, as `flyball actions list` shows it.")]
Owner = Annotated[str, typer.Option("--owner", metavar="NAME", help="Who does it.")]
Due = Annotated[str, typer.Option("--due", metavar="DAY", help="Until which day, such as 2026-12-15.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="What became of it; the ticket says it too.")]
_NONE: Final = "No action is open. `flyball actions add INC-7 TITLE --owner NAME --due DAY` writes one down."


@app.command("list")
def list_actions(
    folder: Folder = Path(),
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT", help="Only those of one incident.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose day is over.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Those that are done or dropped, too.")] = False,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List open actions, those that are due first. With --overdue, exit status 1 when there are any.

    Exit status: 0, 1 when some are overdue and --overdue was asked, 3 when the database failed.

    \b
    Examples:
      flyball actions list
      flyball actions list --overdue
      flyball actions list --incident INC-7 --all --json
    """
    from alerts.postmortems.as_json import tracked_data
    from alerts.postmortems.views import actions_text, counts_text

    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = _tracked(transaction, incident, only_open=not every)
    if overdue:
        found = [each for each in found if each.is_overdue]
    if not found and not as_json:
        typer.echo("No action is overdue." if overdue else _NONE, err=True)
        return
    printed([tracked_data(each) for each in found], f"{actions_text(found)}\n{counts_text(found)}", as_json=as_json)
    if overdue and found:
        raise typer.Exit(ExitCode.PROBLEMS)


@app.command()
def add(
    incident: IncidentName,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What shall be done.")],
    folder: Folder = Path(),
    owner: Owner = "",
    due: Due = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Write an action down; it becomes a ticket within a minute where `flyball up` runs.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball actions add INC-7 "Cap the connection pool" --owner ben --due 2026-12-15
    """
    if not owner.strip():
        raise typer.BadParameter("say who does it", param_hint="--owner")
    day = _day_or_exit(due)
    with _desk(folder, database) as desk:
        action = desk.add(incident, title, owner=owner, due=day, by=by or login_name(), now=now())
    _print(action, "added", as_json=as_json)


@app.command()
def edit(
    action: ActionId,
    folder: Folder = Path(),
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What shall be done.")] = "",
    owner: Owner = "",
    due: Due = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Give an action other words, another owner or another day.

    Exit status: 0, 1 when there is no such action, 3 when the database failed.

    \b
    Examples:
      flyball actions edit 3f9a1c02b7d4 --owner eve --due 2027-01-10
    """
    day = _day_or_exit(due) if due else None
    if not (title or owner or due):
        raise typer.BadParameter("say what changes: --title, --owner or --due", param_hint="--due")
    with _desk(folder, database) as desk:
        changed = desk.change(action, by=by or login_name(), now=now(), title=title, owner=owner, due=day)
    _print(changed, "changed", as_json=as_json)


@app.command()
def done(
    action: ActionId,
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say that an action is done. Its ticket is closed.

    Exit status: 0, 1 when there is no such action, 3 when the database failed.

    \b
    Examples:
      flyball actions done 3f9a1c02b7d4 --why "merged in 1.8.1"
    """
    from controlplane.model.follow_up import ActionState

    _end(action, ActionState.DONE, "done", folder, why=why, by=by, database=database, as_json=as_json)


@app.command()
def drop(
    action: ActionId,
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say that an action is not going to be done, and why. Its ticket is closed with that.

    Exit status: 0, 1 when there is no such action or no reason, 3 when the database failed.

    \b
    Examples:
      flyball actions drop 3f9a1c02b7d4 --why "the service goes away in January"
    """
    from controlplane.model.follow_up import ActionState

    _end(action, ActionState.DROPPED, "dropped", folder, why=why, by=by, database=database, as_json=as_json)


@app.command()
def reopen(
    action: ActionId,
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say that an action is to be done after all. Its ticket is opened again.

    Exit status: 0, 1 when there is no such action, 3 when the database failed.

    \b
    Examples:
      flyball actions reopen 3f9a1c02b7d4 --why "the fix was rolled back"
    """
    from controlplane.model.follow_up import ActionState

    _end(action, ActionState.OPEN, "open again", folder, why=why, by=by, database=database, as_json=as_json)


def _end(
    action: str, state: "ActionState", verb: str, folder: Path, *, why: str, by: str, database: str, as_json: bool
) -> None:  # fmt: skip
    with _desk(folder, database) as desk:
        ended = desk.end(action, state, by=by or login_name(), why=why, now=now())
    _print(ended, verb, as_json=as_json)


@contextmanager
def _desk(folder: Path, database: str) -> "Iterator[ActionDesk]":
    from alerts.postmortems.actions import ActionDesk, UnknownAction

    try:
        with opened(folder, database) as store:
            yield ActionDesk(store, new_id)
    except UnknownAction as error:
        fail(f"flyball actions: {error}", ExitCode.PROBLEMS)


def _tracked(transaction: "Transaction", incident: str, *, only_open: bool) -> "list[TrackedAction]":
    from alerts.incidents.desk import UnknownIncident
    from alerts.postmortems.gathering import tracked

    chosen = ""
    if incident:
        found = transaction.incidents.incident(incident)
        if found is None:
            raise UnknownIncident(incident)
        chosen = found.id
    return tracked(transaction, transaction.follow_up.actions(chosen, only_open=only_open), now())


def _day_or_exit(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is not a day: write it as 2026-12-15", param_hint="--due") from None


def _print(action: "Action", verb: str, *, as_json: bool) -> None:
    from alerts.postmortems.as_json import action_data
    from alerts.postmortems.views import changed_text

    printed(action_data(action), changed_text(action, verb), as_json=as_json)
