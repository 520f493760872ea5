"""`flyball slo exclusions`: which time does not count, and on whose account."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode


def exclusions(
    folder: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The workspace, or one file.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the exclusions of a workspace: past, now and next, who answers for each, why, and until when.

    What lasts now comes first, then what comes next. Times are UTC.

    Exit status: 0, or 1 when files have mistakes or there are none.

    \b
    Examples:
      flyball slo exclusions
      flyball slo exclusions examples/intelgraph
      flyball slo exclusions --json | jq '.[] | select(.stage == "now") | .slos'
    """
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text as problems_as_text
    from controlplane.problems import has_errors
    from flyball.examining import examine
    from slo.exclusions.declared import declared
    from slo.exclusions.views import as_data, as_text, exclusion_rows

    files, unreadable = read_folder(folder)
    examined = examine(files)
    if not files and not unreadable:
        typer.echo(f"{folder}: no *.yaml or *.yml files here", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    problems = [*unreadable, *examined.problems]
    if has_errors(problems):
        typer.echo(problems_as_text(problems, {}, False), err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    rows = exclusion_rows(declared(examined.documents, examined.slos), SystemClock().now())
    typer.echo(json.dumps(as_data(rows), indent=2) + "\n" if as_json else as_text(rows), nl=False)
