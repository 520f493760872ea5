"""`flyball event list` and `show`: events that came."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import length_or_exit, now
from flyball.cli.declared import fail
from flyball.cli.events import options as say
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from controlplane.store import SqlStore

Workspace = Annotated[Path, say.Workspace]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print them as JSON.")]


def list_events(
    type_: Annotated[
        str,
        typer.Option("--type", metavar="TYPE", help="Of types that begin so: service.deployed, com.acme."),
    ] = "",
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="About this service.")] = "",
    source: Annotated[str, typer.Option("--source", metavar="URI", help="Of this source.")] = "",
    sender: Annotated[str, typer.Option("--sender", metavar="NAME", help="That came so: github, cloudevents.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="LENGTH", help="Of the last 30m, 2h, 7d.")] = "",
    unknown: Annotated[bool, typer.Option("--unknown", help="Only those that are kept without being read.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    workspace: Workspace = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List delivery events, the last that came first. They are kept for FLYBALL_DELIVERY_EVENT_DAYS.

    \b
    Examples:
      flyball event list --type service.deployed --since 7d
      flyball event list --service checkout
      flyball event list --unknown --json | jq -r '.[].type' | sort | uniq -c
    """
    from controlplane.model.delivery import EventQuery
    from exporters.events.views import list_text, row_of, type_prefix

    query = EventQuery(
        type_prefix=type_prefix(type_),
        source=source,
        subject=service,
        sender=sender,
        since=now() - length_or_exit(since, "--since") if since else None,
        only_unknown=unknown,
        limit=limit,
    )
    with _opened(workspace, database) as store, store.transaction(read_only=True) as transaction:
        events = transaction.delivery.find_events(query)
    typer.echo(json.dumps([row_of(each) for each in events], ensure_ascii=False) if as_json else list_text(events))


def show(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="As `flyball event list --json` gives it.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id within the source.")],
    workspace: Workspace = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Show one event: what it is about, how it came, and all that it says.

    Exit status: 0, 1 when there is no such event, 3 when the database failed.

    \b
    Examples:
      flyball event show https://github.com/acme/shop deployment_status/42
      flyball event show /flyball/cli 1f0c… --json | jq .event.data
    """
    from exporters.events.views import event_data, event_text

    with _opened(workspace, database) as store, store.transaction(read_only=True) as transaction:
        found = transaction.delivery.event(source, id_)
    if found is None:
        fail(f"no event {id_} of {source}: `flyball event list` shows those that came", ExitCode.PROBLEMS)
    typer.echo(json.dumps(event_data(found), ensure_ascii=False) if as_json else event_text(found))


def _opened(workspace: Path, database: str) -> "AbstractContextManager[SqlStore]":
    return opened_store(database or settings_or_exit(workspace).database_url.reveal(), "event")
