"""`flyball usage conflicts`: what was set aside."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.cost.tables import csv_text
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Workspace, opened


def conflicts(
    workspace: Workspace = Path(),
    database: Database = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    as_json: AsJSON = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table as CSV.")] = False,
) -> None:
    """List events that are kept without being counted: they contradict one that was counted (same tenant, source and
    id, other content), or no meter or contract knows their type or tenant.

    \b
    Examples:
      flyball usage conflicts
      flyball usage conflicts --json | jq '.[] | select(.reason == "unknown_type") | .type' | sort | uniq -c
    """
    from exporters.usage.views import ASIDE_COLUMNS, aside_rows, aside_text

    with opened(settings_or_exit(workspace), database) as store, store.transaction(read_only=True) as transaction:
        rows = aside_rows(transaction.usage.set_aside(limit))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif as_csv:
        typer.echo(csv_text(ASIDE_COLUMNS, rows), nl=False)
    else:
        typer.echo(aside_text(rows))
