"""`flyball slo`: what one does with SLO files besides checking and applying them."""

import typer

from flyball.cli.slo import backfill, convert, exclusions, explain, proofs, replay, templates

app = typer.Typer(no_args_is_help=True, help="Replay SLO files against the past, and more.")
app.command("replay")(replay.replay)
app.command("templates")(templates.templates)
app.command("convert")(convert.convert)
app.command("exclusions")(exclusions.exclusions)
app.command("explain")(explain.explain)
app.command("test")(proofs.prove)
app.command("backfill")(backfill.backfill)
