"""`flyball event`: tell of deliveries, check events, and look at those that came."""

from typing import Final

import typer

from flyball.cli.events import sending, showing, validating

_HELP: Final = """Delivery events: send them, check them, look at those that came.

\b
Examples:
  flyball event send deployed --service checkout --version 1.4.2 --repository github.com/acme/shop --revision $SHA
  flyball event send merged --repository github.com/acme/shop --number 12 --revision $SHA
  flyball event validate events.ndjson
  flyball event list --type service.deployed --since 7d
  flyball event show /flyball/cli 1f0c…
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("send")(sending.send)
app.command("validate")(validating.validate)
app.command("list")(showing.list_events)
app.command("show")(showing.show)
