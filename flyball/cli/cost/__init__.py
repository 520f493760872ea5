"""`flyball cost`: what was spent, what it will have been, and why."""

from typing import Final

import typer

from flyball.cli.cost import backfill, explain, forecast, import_, report, showback, unit

_HELP: Final = """Work with money: bills, forecasts, unit costs.

\b
Examples:
  flyball cost import bills/2026-11.csv
  flyball cost report --by service,day
  flyball cost forecast
  flyball cost explain --from 2026-11-01 --to 2026-11-08
  flyball cost unit
  flyball cost backfill --dry-run
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
app.command("import")(import_.import_)
app.command("report")(report.report)
app.command("forecast")(forecast.forecast)
app.command("explain")(explain.explain)
app.command("unit")(unit.unit)
app.command("showback")(showback.showback)
app.command("backfill")(backfill.backfill)
