"""`flyball ladder status`: where every ladder stands."""

from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, one_or_exit
from flyball.cli.ladder.opening import AsJSON, Database, Folder, ladders_or_exit, now, opened, printed
from flyball.cli.settings import settings_or_exit


def status(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One ladder; all where it is left out.")] = "",
    folder: Folder = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Show where ladders stand: tier and since when, mode, signals, an open step, what holds them, what they ask for.

    Ladders that are declared no more are shown while one of their tiers is in force. Times are UTC.

    Exit status: 0, 1 when files have mistakes or there is no such ladder, 3 when the database failed.

    \b
    Examples:
      flyball ladder status
      flyball ladder status intelgraph examples/intelgraph
      flyball ladder status --json | jq '.ladders[] | {ladder, tier, asks}'
    """
    from finops.ladder.standing import standings
    from finops.ladder.views import status_data, status_text
    from flyball.leadership import LEASE_NAME

    if name and folder == Path() and ("/" in name or name.startswith(".")):
        name, folder = "", Path(name)  # no ladder is named so: it is the workspace that is meant
    declared = ladders_or_exit(folder)
    with opened(folder, database) as store:
        leader = store.leases.holder(LEASE_NAME)
        with store.transaction(read_only=True) as transaction:
            found = {each.name: each for each in standings(transaction.ladders, declared, now())}
    if not found:
        fail(f"{folder} declares no Ladder: docs/how-to/write-a-ladder.md says how to write one", ExitCode.PROBLEMS)
    chosen = [one_or_exit(found, name, "Ladder")] if name else list(found.values())
    stopped = settings_or_exit(folder).ladder.why_stopped()
    text = status_text(chosen, leader=leader, stopped=stopped)
    printed(status_data(chosen, leader=leader, stopped=stopped), text, as_json=as_json)
