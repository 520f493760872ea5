"""`flyball usage status`: months, quotas, events."""

import json
from pathlib import Path

import typer

from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Workspace, opened, terms_or_exit


def status(workspace: Workspace = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Show what became of the events sent, how far each month is, and what is used of quotas.

    \b
    Examples:
      flyball usage status
      flyball usage status --json | jq '.quotas[] | select(.ratio > "0.8")'
    """
    from controlplane.adapters.clock import SystemClock
    from exporters.usage.views import status_data, status_of, status_text

    terms, now = terms_or_exit(workspace), SystemClock().now()
    with opened(settings_or_exit(workspace), database) as store:
        found = status_of(store, terms, now)
    typer.echo(json.dumps(status_data(found), ensure_ascii=False) if as_json else status_text(found))
