"""`flyball dora attribute`: a person says which deployment caused an incident."""

from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.asking import login_name, now, printed
from flyball.cli.dora.opening import AsJSON, Database, Folder, opened, policy_or_exit


def attribute(
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its name, such as INC-7, or its id.")],
    folder: Folder = Path(),
    to: Annotated[
        str, typer.Option("--to", metavar="DEPLOYMENT", help="Its id or the end of it, a version, or a revision.")
    ] = "",
    none: Annotated[bool, typer.Option("--none", help="No deployment caused it.")] = False,
    automatic: Annotated[
        bool, typer.Option("--automatic", help="Take back what was said: the rules hold again.")
    ] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept with it.")] = "",
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="NAME", help="Who says so; kept in the audit log.", show_default="your login name"
        ),
    ] = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say which deployment an incident is held against. It outweighs every rule, until it is said otherwise.

    The days that it changes are measured anew; it stands in the audit log.

    Exit status: 0, 1 when no incident or deployment has that name or several have, 2 when it is not said to what, 3
    when the database failed.

    \b
    Examples:
      flyball dora attribute INC-7 --to 4.2.1 --note "the new pool size, see the postmortem"
      flyball dora attribute INC-7 --none --note "the provider's network"
      flyball dora attribute INC-7 --automatic
    """
    from exporters.dora.report.correcting import AUTOMATIC, NONE, Wish, correct, corrected_data, corrected_text

    if sum((bool(to), none, automatic)) != 1:
        raise typer.BadParameter("say one of --to DEPLOYMENT, --none and --automatic", param_hint="--to")
    policy = policy_or_exit(folder)
    wish = Wish(incident, to or (NONE if none else AUTOMATIC), by or login_name(), note)
    with opened(folder, database) as store:
        done = correct(store, wish, policy, now())
    printed(corrected_data(done), corrected_text(done), as_json=as_json)
