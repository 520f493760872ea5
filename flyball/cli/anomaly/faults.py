"""`flyball anomaly faults`: how well injected faults are found, and how often nothing is taken for something."""

from typing import Annotated

import typer


def faults(
    series: Annotated[int, typer.Option("--series", metavar="N", min=1, max=2000, help="So many for each fault.")] = 40,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws other series.")] = 1,
    markdown: Annotated[bool, typer.Option("--markdown", help="As docs/reference/anomaly-faults.md holds it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Inject faults into generated series and say which share is found, how soon, and how many false alarms there are."""
    raise NotImplementedError
