"""`flyball ladder drill`: up to a tier and back, to know that it works before it is needed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.ladder.opening import AsJSON, By, Database, Folder, Name, Why, new_id, opened, target_or_exit, who
from flyball.cli.ladder.waiting import Timeout, Wait, finished


def drill(
    name: Name,
    folder: Folder = Path(),
    to: Annotated[int | None, typer.Option("--to", metavar="N", help="The highest tier of the drill.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: service is reduced for real until it is back.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: read the flags, and walk the journeys of every tier.")
    ] = False,
    why: Why = "",
    by: By = "",
    wait: Wait = True,
    timeout: Timeout = "1h",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Drill a ladder: up to a tier by verified steps, then back to where it stood. Customers get reduced service.

    With --dry-run nothing is written and nobody needs to lead: every flag is read as it is now, and the journeys that
    would verify the tiers are walked once.

    Exit status: 0 when all went well, 1 when it was refused or something failed, 3 when nobody leads, it took too long,
    or the outside failed.

    \b
    Examples:
      flyball ladder drill intelgraph --to 3 --dry-run --why "before the season"
      flyball ladder drill intelgraph --to 3 --why "quarterly drill" --yes
    """
    from finops.ladder import orders
    from flyball.cli.ladder.rehearsal import show_rehearsal

    if to is None:
        raise typer.BadParameter("say which tier it goes up to", param_hint="--to")
    asks = who(by, why or ("dry run" if dry_run else ""))
    if not dry_run and not yes:
        _confirmed(name, to)
    with opened(folder, database) as store:
        target = target_or_exit(store, folder, name)
        if dry_run:
            show_rehearsal(store, target, folder, to, as_json=as_json)
            return
        made = orders.order_drill(store, target, asks, order=new_id(), to=to)
        finished(store, made, wait=wait, timeout=timeout, as_json=as_json)


def _confirmed(name: str, to: int) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("a drill reduces service for real: say --yes, or --dry-run", param_hint="--yes")
    typer.confirm(f"Reduce service of {name} up to tier {to} for real?", abort=True)
