"""`flyball incidents list`, `show`, `timeline`: what goes on and what happened."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flyball.cli.asking import length_or_exit, now, printed
from flyball.cli.incidents.opening import (
    AsJSON,
    Database,
    Folder,
    IncidentName,
    console_url,
    declared_in,
    incident_or_exit,
    opened,
)

_MOST: Final = 10_000
_NONE_OPEN: Final = "No incident is open. `flyball incidents list --since 30d` lists those that are over, too."
_NONE_AT_ALL: Final = (
    "No incident in that time. Alerts open them once routes are declared and Alertmanager delivers to us:\n"
    "docs/how-to/handle-incidents.md"
)


def list_incidents(
    folder: Folder = Path(),
    since: Annotated[
        str, typer.Option("--since", metavar="LENGTH", help="All that went on in that time, over or not; such as 30d.")
    ] = "",
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Only those of this service.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many.")] = 50,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List open incidents, the most urgent first; with --since also those that are over, latest first. Times are UTC.

    Exit status: 0, 2 when the option is wrong, 3 when the database failed.

    \b
    Examples:
      flyball incidents list
      flyball incidents list --since 30d --service checkout
      flyball incidents list --json | jq '.[] | {name, priority, title}'
    """
    from alerts.incidents.views import incident_data, incidents_text

    at = now()
    start = at - length_or_exit(since, "--since") if since else None
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        log = transaction.incidents
        found = log.open() if start is None else log.between(start, at, _MOST)
    chosen = [each for each in found if service in ("", each.service)][:limit]
    if not chosen and not as_json:
        typer.echo(_NONE_OPEN if start is None else _NONE_AT_ALL, err=True)
        return
    printed([incident_data(each) for each in chosen], incidents_text(chosen, at), as_json=as_json)


def show(incident: IncidentName, folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Show one incident: how it stands, what it costs, what may have caused it, who is told, what happened last.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents show INC-7
      flyball incidents show INC-7 --json | jq .suspects
    """
    from alerts.incidents.page import read_page
    from alerts.incidents.views import incident_text, page_data

    declared, url = declared_in(folder), console_url(folder)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = incident_or_exit(transaction, incident)
        page = read_page(transaction, found, declared, url, transaction.database_time())
    printed(page_data(page), incident_text(page), as_json=as_json)


def timeline(incident: IncidentName, folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Print all that happened in an incident, oldest first. Times are UTC.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents timeline INC-7
      flyball incidents timeline INC-7 --json | jq -r '.[] | select(.kind == "deployment") | .text'
    """
    from alerts.incidents.views import entry_data, timeline_text

    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        lines = transaction.incidents.timeline(incident_or_exit(transaction, incident).id, _MOST)
    printed([entry_data(each) for each in lines], timeline_text(lines), as_json=as_json)
