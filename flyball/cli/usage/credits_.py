"""`flyball usage credits`: what tenants get back."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.cost.tables import csv_text
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import (
    AsJSON,
    Database,
    Month,
    Workspace,
    month_or_exit,
    opened,
    recorded_slos,
    terms_or_exit,
)


def credits_(
    period: Month,
    workspace: Workspace = Path(),
    database: Database = "",
    as_json: AsJSON = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table as CSV.")] = False,
) -> None:
    """Show the service credits of a month: what each contract's SLO achieved for each tenant, and what is given back.

    Of a closed month it shows what was decided, of any other what would be decided now. A breach that our own downshift
    caused is marked. Where nothing was measured nothing is decided: it is not taken for 100 %.

    \b
    Examples:
      flyball usage credits --period 2026-11
      flyball usage credits --period 2026-11 --json | jq '.[] | select(.verdict == "no_data")'
    """
    from exporters.usage.closing import preview_lines, read_closed
    from exporters.usage.crediting import Crediting
    from exporters.usage.views import CREDIT_COLUMNS, credit_rows, credit_text

    month = month_or_exit(period)
    terms, settings = terms_or_exit(workspace), settings_or_exit(workspace)
    with opened(settings, database) as store, recorded_slos(settings) as source:
        closed = read_closed(store, month)
        if closed is not None:
            decisions = list(closed.credits)
        else:
            lines = preview_lines(store, terms, month)
            found = Crediting(store, terms, source).decisions(month, lines, booked=month)
            decisions = [dict(decision.as_data()) for decision in found]
    rows = credit_rows(decisions)
    if as_json:
        typer.echo(json.dumps(decisions, ensure_ascii=False))
    elif as_csv:
        typer.echo(csv_text(CREDIT_COLUMNS, rows), nl=False)
    else:
        typer.echo(credit_text(rows, is_closed=closed is not None))
