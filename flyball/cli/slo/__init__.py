"""`flyball slo`: what one does with SLO files besides checking and applying them."""

from typing import Final

import typer

from flyball.cli.slo import backfill, convert, exclusions, explain, proofs, replay, templates

_HELP: Final = """Work with SLO files: understand, prove, replay, backfill and convert them.

\b
Examples:
  flyball slo templates http-availability
  flyball slo explain checkout-availability
  flyball slo test
  flyball slo replay --since 30d
  flyball slo backfill --dry-run
  flyball slo convert sloth/ -o slo/
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("templates")(templates.templates)
app.command("explain")(explain.explain)
app.command("test")(proofs.prove)
app.command("replay")(replay.replay)
app.command("backfill")(backfill.backfill)
app.command("exclusions")(exclusions.exclusions)
app.command("convert")(convert.convert)
