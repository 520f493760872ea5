"""`flyball usage retry`: count what nobody knew when it came."""

import json
from pathlib import Path

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Workspace, opened, terms_or_exit


def retry(workspace: Workspace = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Count events that were set aside because no meter read their type, or no contract named their tenant, as far as
    one does now. Contradictions stay aside.

    Usage of a month that is closed becomes an adjustment. May be repeated; each event counts once.

    Exit status: 0, 1 when some cannot be counted by today's meters, 3 when the database failed.

    \b
    Examples:
      flyball usage retry
      flyball usage retry --json | jq .accepted
    """
    from controlplane.adapters.clock import SystemClock
    from exporters.usage.measuring import Measurer
    from exporters.usage.retrying import retry as count_again
    from exporters.usage.views import receipt_data, receipt_text

    terms = terms_or_exit(workspace)
    with opened(settings_or_exit(workspace), database) as store:
        found = count_again(store, Measurer(terms), SystemClock().now())
    if as_json:
        counted = receipt_data(found.receipt, found.faults, len(found.faults))
        typer.echo(json.dumps({**counted, "unknown": found.unknown}, ensure_ascii=False))
    else:
        for fault in found.faults[:100]:
            typer.echo(str(fault), err=True)
        typer.echo(f"{receipt_text(found.receipt, 0)}; {found.unknown:,} stay aside")
    if found.faults:
        raise typer.Exit(ExitCode.PROBLEMS)
