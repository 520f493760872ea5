"""`flyball ladder`: downshift ladders, where they stand, and what people say about them."""

from typing import Final

import typer

from flyball.cli.ladder import approve, drill, explain, hold, simulate, status, step

_HELP: Final = """Downshift ladders: where they stand, why, and what they shall do.

\b
Examples:
  flyball ladder status
  flyball ladder explain intelgraph
  flyball ladder approve intelgraph --tier 5 --why "black Friday, INC-812"
  flyball ladder hold intelgraph --for 2h --why "release in progress"
  flyball ladder step intelgraph --to 0 --why "the spike is over"
  flyball ladder simulate --since 30d --fail-on "flaps>0"
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("step")(step.step)
app.command("hold")(hold.hold)
app.command("resume")(hold.resume)
app.command("approve")(approve.approve)
app.command("drill")(drill.drill)
app.command("simulate")(simulate.simulate)
