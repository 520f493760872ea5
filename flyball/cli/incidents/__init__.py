"""`flyball incidents`: what goes on, who has it, what happened, and what people do about it."""

from typing import Final

import typer

from flyball.cli.incidents import acting, showing

_HELP: Final = """Incidents: what goes on, who has it, what happened, what it costs.

\b
Examples:
  flyball incidents list
  flyball incidents show INC-7
  flyball incidents ack INC-7
  flyball incidents note INC-7 "rolled back to 1.4.2"
  flyball incidents resolve INC-7 --why "bad deployment"
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("list")(showing.list_incidents)
app.command("show")(showing.show)
app.command("timeline")(showing.timeline)
app.command("ack")(acting.ack)
app.command("resolve")(acting.resolve)
app.command("note")(acting.note)
app.command("assign")(acting.assign)
app.command("priority")(acting.priority)
app.command("declare")(acting.declare)
